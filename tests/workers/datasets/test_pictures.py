"""Images come out as torchvision's presets make them, or not at all."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from search.preprocessing import Preprocessing
from tests.contracts.dataset_source import AS_IT_IS
from workers.datasets import pictures
from workers.errors import UnusableData

NOISE = np.random.default_rng(1).integers(0, 256, (45, 70, 3), dtype=np.uint8)


def refuse(why: str) -> UnusableData:
    return UnusableData("folder/pets", why)


def encoded(image: Image.Image, *, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes, wanted: Preprocessing = AS_IT_IS) -> pictures.Picture:
    return pictures.decode(data, wanted, refuse=refuse)


class TestDecode:
    @pytest.mark.parametrize("size", [(70, 45), (45, 70), (33, 33), (131, 40)])
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
    def test_geometry_is_that_of_torchvision(
        self, size: tuple[int, int], kind: str, interpolation: str
    ) -> None:
        data = encoded(Image.fromarray(NOISE).resize(size), kind=kind)
        wanted = Preprocessing(resize=31, crop=24, interpolation=interpolation)
        reference = transforms.Compose(
            [
                transforms.Resize(31, transforms.InterpolationMode(interpolation)),
                transforms.CenterCrop(24),
                transforms.PILToTensor(),
            ]
        )
        with Image.open(io.BytesIO(data)) as image:
            expected = reference(image.convert("RGB"))
        assert torch.equal(torch.from_numpy(decoded(data, wanted).copy()), expected)

    def test_orientation_in_exif_is_ignored(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # lies on its side
        data = encoded(Image.fromarray(NOISE), kind="JPEG", exif=exif)
        assert decoded(data).shape == (3, 45, 70)

    @pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK"])
    def test_every_mode_becomes_rgb(self, mode: str) -> None:
        image = Image.fromarray(NOISE).convert(mode)
        kind = "JPEG" if mode == "CMYK" else "PNG"
        assert decoded(encoded(image, kind=kind)).shape == (3, 45, 70)

    def test_sixteen_bits_keep_their_high_byte(self) -> None:
        image = Image.fromarray(np.full((4, 4), 0x8012, np.uint16))
        assert np.unique(decoded(encoded(image))).tolist() == [0x80]

    def test_a_transparent_palette_loses_its_transparency(self) -> None:
        image = Image.fromarray(NOISE).convert("P")
        image.info["transparency"] = bytes(range(256))
        assert decoded(encoded(image, transparency=bytes(range(256)))).shape == (3, 45, 70)

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_a_bomb_that_pillow_only_warns_of_is_refused(self) -> None:
        with pytest.raises(UnusableData, match="9600×9600 pixels are too many"):
            decoded(encoded(Image.new("1", (9600, 9600))))

    def test_what_would_become_endless_is_refused(self) -> None:
        with pytest.raises(UnusableData, match="1×200 pixels are too elongated"):
            decoded(encoded(Image.new("L", (1, 200))), Preprocessing(resize=224))

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
    def test_other_formats_are_not_tried(self, kind: str) -> None:
        with pytest.raises(UnusableData, match="no JPEG, PNG, WEBP image"):
            decoded(encoded(Image.fromarray(NOISE), kind=kind))

    def test_every_cut_is_refused(self) -> None:
        data = encoded(Image.fromarray(NOISE), kind="JPEG")
        for size in range(0, len(data) - 64, 61):
            with pytest.raises(UnusableData):
                decoded(data[:size])


class TestFit:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_arrays_keep_their_channels(self, channels: int) -> None:
        pixels = NOISE.transpose(2, 0, 1)[:channels]
        found = pictures.fit(pixels, Preprocessing(resize=20, crop=16), refuse=refuse)
        assert found.shape == (channels, 16, 16)
        assert np.array_equal(pictures.fit(pixels, AS_IT_IS, refuse=refuse), pixels)
