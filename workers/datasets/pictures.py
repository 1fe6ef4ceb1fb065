"""One image file or array as pixels of the wanted geometry; what is damaged is told by name."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL import UnidentifiedImageError

from search.preprocessing import Preprocessing
from workers.errors import UnusableData

#: ends of file names, lower case, and the formats that are tried
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP")

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_LONGEST = 32_768  # pixels of a resized image's longer side
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")

Picture = npt.NDArray[np.uint8]
Refuse = Callable[[str], UnusableData]


def decode(data: bytes, wanted: Preprocessing, *, refuse: Refuse) -> Picture:
    """Return the image of the file's bytes, shape (3, height, width), RGB.

    Orientation in EXIF is ignored and transparency dropped, as training pipelines do. `refuse`
    makes the error for a file that is damaged, is no image, or would take too much memory.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            # Pillow itself refuses twice as many and warns from here on
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or np.inf):
                raise refuse(f"{image.width}×{image.height} pixels are too many to decode safely")
            return _pixels(_fitted(_rgb(image), wanted, refuse=refuse))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refuse("it has too many pixels to decode safely") from error
    except UnidentifiedImageError as error:
        raise refuse(f"it is no {', '.join(FORMATS)} image") from error
    # each decoder has its own ways to say that a file is damaged
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise refuse(f"it is damaged: {error}") from error


def fit(pixels: Picture, wanted: Preprocessing, *, refuse: Refuse) -> Picture:
    """Return an image of an array, shape (1 or 3, height, width), in the wanted geometry."""
    # Pillow has no (height, width, 1)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    return _pixels(_fitted(image, wanted, refuse=refuse))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BITS:
        # Pillow would cut off at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if "transparency" in image.info:
        # else Pillow warns that it is dropped
        image = image.convert("RGBA")
    return image.convert("RGB")


def _fitted(image: Image.Image, wanted: Preprocessing, *, refuse: Refuse) -> Image.Image:
    """Resize the shorter side and cut out the centre, as torchvision's presets for weights do."""
    if wanted.resize is not None and min(image.size) != wanted.resize:
        shorter = min(image.size)
        size = [int(wanted.resize * side / shorter) for side in image.size]
        if max(size) > _LONGEST:
            raise refuse(f"{image.width}×{image.height} pixels are too elongated to resize")
        image = image.resize((size[0], size[1]), _FILTERS[wanted.interpolation])
    if wanted.crop is None:
        return image
    if min(image.size) < wanted.crop:
        raise refuse(f"{image.width}×{image.height} pixels hold no crop of {wanted.crop}")
    left, top = (round((side - wanted.crop) / 2) for side in image.size)
    return image.crop((left, top, left + wanted.crop, top + wanted.crop))


def _pixels(image: Image.Image) -> Picture:
    array = np.asarray(image, dtype=np.uint8)
    return array[None] if image.mode == "L" else np.ascontiguousarray(array.transpose(2, 0, 1))
