"""Many images decoded at once into the cache, and arrays checked and fitted on the way there."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.preprocessing import Preprocessing
from workers.datasets import cache
from workers.datasets import pictures
from workers.datasets.source import Indices
from workers.datasets.source import Labelled
from workers.datasets.source import Pixels
from workers.datasets.source import Surroundings
from workers.errors import UnusableData

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to come by every image of a dataset."""

    #: as requests name it
    dataset: str
    #: one digest an image, or one for all
    contents: Sequence[str]
    #: how many images
    count: int
    #: number -> pixels in the wanted geometry, (channels, height, width)
    make: Callable[[int], Picture]
    #: number -> what people call that image
    title: Callable[[int], str]


def decoded(recipe: Recipe, around: Surroundings, *, wanted: Preprocessing) -> Picture:
    """Return all images, (n, channels, height, width), memory-mapped; decoded once for all jobs.

    Raises UnusableData naming the first image that is damaged or of another shape than the first.
    """

    def pictures_of_one_shape() -> Iterator[Picture]:
        shape: tuple[int, ...] | None = None
        work = cache.in_order(recipe.make, recipe.count, check=around.check)
        for number, picture in enumerate(work):
            shape = shape or picture.shape
            if picture.shape != shape:
                why = (
                    f"{recipe.title(number)} has shape {picture.shape}, the first image {shape}; "
                    "say in preprocessing.crop what all are to be cropped to"
                )
                raise UnusableData(recipe.dataset, why)
            yield picture

    return cache.kept(
        around.cache,
        cache.key(recipe.contents, wanted),
        count=recipe.count,
        make=pictures_of_one_shape,
        check=around.check,
    )


def of_arrays(
    images: npt.NDArray[np.generic],
    labels: npt.NDArray[np.generic],
    *,
    dataset: str,
    keep: Callable[[Picture], Pixels],
    wanted: Preprocessing,
) -> Labelled:
    """Return the arrays as a dataset; `keep` fits and stores those of bytes.

    Images are uint8 (n, channels, height, width), (n, height, width, channels) or
    (n, height, width), or float32 (n, channels, height, width) in [0, 1]; channels are 1 or 3.
    Raises UnusableData.
    """
    found = _class_indices(labels, dataset)
    if len(images) != len(found):
        raise UnusableData(dataset, f"{len(images)} images but {len(found)} labels")
    if len(images) == 0:
        raise UnusableData(dataset, "it holds no images")
    if images.dtype == np.float32:
        return Labelled(
            _floats(images.astype(np.float32, copy=False), dataset, wanted=wanted), found
        )
    if images.dtype != np.uint8:
        raise UnusableData(dataset, f"images are {images.dtype}, neither uint8 nor float32")
    return Labelled(keep(_channels_first(images.astype(np.uint8, copy=False), dataset)), found)


def fitted(
    images: Picture, digest: str, *, around: Surroundings, dataset: str, wanted: Preprocessing
) -> Picture:
    """Return images (n, channels, height, width) in the wanted geometry, memory-mapped."""

    def title(number: int) -> str:
        return f"image {number}"

    def make(number: int) -> Picture:
        def refuse(why: str) -> UnusableData:
            return UnusableData(dataset, f"{title(number)}: {why}")

        return pictures.fit(images[number], wanted, refuse=refuse)

    recipe = Recipe(dataset, [digest], len(images), make, title)
    return decoded(recipe, around, wanted=wanted)


def keeps_geometry(shape: tuple[int, ...], wanted: Preprocessing) -> bool:
    """Return whether images of this shape are resized and cropped to what they already are."""
    height, width = shape[-2:]
    same_size = wanted.resize in (None, min(height, width))
    return same_size and (wanted.crop is None or height == width == wanted.crop)


def _channels_first(images: Picture, dataset: str) -> Picture:
    match images.shape:
        case (_, _, _):
            return images[:, None]
        case (_, 1 | 3, _, _):
            return images
        case (_, _, _, 1 | 3):
            return images.transpose(0, 3, 1, 2)
    why = f"images have shape {images.shape}, not (n, channels, height, width) with 1 or 3 channels"
    raise UnusableData(dataset, why)


def _floats(
    images: npt.NDArray[np.float32], dataset: str, *, wanted: Preprocessing
) -> npt.NDArray[np.float32]:
    if images.ndim != len(("n", "channels", "height", "width")):
        why = f"float32 images have shape {images.shape}, not (n, channels, height, width)"
        raise UnusableData(dataset, why)
    # written so that NaN is outside
    if not (images.min() >= 0 and images.max() <= 1):
        raise UnusableData(dataset, "float32 images must lie in [0, 1]; give pixels as uint8")
    if not keeps_geometry(images.shape, wanted):
        raise UnusableData(dataset, "float32 images are not resized; give pixels as uint8")
    return images


def _class_indices(labels: npt.NDArray[np.generic], dataset: str) -> Indices:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        why = f"labels are {labels.dtype} of shape {labels.shape}, not whole numbers of shape (n,)"
        raise UnusableData(dataset, why)
    if len(labels) and int(labels.min()) < 0:
        raise UnusableData(dataset, f"a label is {labels.min()}; class indices start at 0")
    return labels.astype(np.int64)
