"""Every source keeps the contract, and says clearly what it cannot read."""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
from PIL import Image

from search.preprocessing import Preprocessing
from tests.contracts.dataset_source import AS_IT_IS
from tests.contracts.dataset_source import DatasetSourceContract
from tests.contracts.dataset_source import surroundings
from workers.datasets import folder
from workers.datasets.arrays import ArraySource
from workers.datasets.digits import DigitsSource
from workers.datasets.folder import FolderSource
from workers.datasets.source import DatasetSource
from workers.datasets.source import Surroundings
from workers.datasets.torchvision_files import TorchvisionSource
from workers.errors import Cancelled
from workers.errors import FileNotAllowed
from workers.errors import UnusableData

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 3, 9, 7), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def picture(path: Path, *, size: tuple[int, int] = (8, 6), value: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 0, 255 - value)).save(path)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return surroundings(tmp_path)


class TestDigits(DatasetSourceContract):
    name = ""
    embedded = True

    def source(self) -> DatasetSource:
        return DigitsSource()

    def stock(self, root: Path) -> None:
        pass

    def test_its_pixels_are_not_resized(self, around: Surroundings) -> None:
        with pytest.raises(UnusableData, match="neither resized nor cropped"):
            DigitsSource().read("", around, preprocessing=Preprocessing(crop=4))


class TestFolder(DatasetSourceContract):
    name = "pets"

    def source(self) -> DatasetSource:
        return FolderSource()

    def stock(self, root: Path) -> None:
        for number, kind in enumerate(("cat", "dog")):
            picture(root / "pets" / kind / "a b (1).jpg", value=number * 90)
            picture(root / "pets" / kind / "é.PNG", value=number * 90)
            picture(root / "pets" / kind / "c.webp", value=number * 90)
            (root / "pets" / kind / "notes.txt").write_text("no image")
            (root / "pets" / kind / ".hidden.png").write_text("no image")

    def test_other_files_are_left_alone(self, around: Surroundings) -> None:
        assert self.read(around).labels.tolist() == [0, 0, 0, 1, 1, 1]

    def test_an_offer_tells_how_many(self, around: Surroundings) -> None:
        (offered,) = FolderSource().offers(around)
        assert offered.details["classes"] == 2

    def test_a_cached_dataset_is_not_decoded_again(self, around: Surroundings) -> None:
        self.read(around)
        (kept,) = around.cache.iterdir()
        written = kept.stat().st_mtime_ns
        self.read(around)
        assert [p.stat().st_mtime_ns for p in around.cache.iterdir()] == [written]

    def test_changed_bytes_are_other_images(self, around: Surroundings) -> None:
        before = np.array(self.read(around).pixels)
        picture(around.root.folder / "pets/cat/é.PNG", value=7)
        assert not np.array_equal(self.read(around).pixels, before)

    @pytest.mark.parametrize(
        "wanted, shape",
        [
            (Preprocessing(resize=12), (12, 16)),
            (Preprocessing(resize=12, crop=5), (5, 5)),
            (Preprocessing(crop=6, interpolation="bicubic"), (6, 6)),
        ],
    )
    def test_geometry_is_applied(
        self, around: Surroundings, wanted: Preprocessing, shape: tuple[int, int]
    ) -> None:
        data = FolderSource().read("pets", around, preprocessing=wanted)
        assert data.pixels.shape == (6, 3, *shape)

    def test_cancelling_interrupts_the_decoding(self, around: Surroundings) -> None:
        def check() -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            self.read(replace(around, check=check))

    def test_a_folder_without_images_is_refused(self, around: Surroundings) -> None:
        (around.root.folder / "empty/cat").mkdir(parents=True)
        with pytest.raises(UnusableData, match=r"folder/empty .* no sub-folder with \.jpg"):
            FolderSource().read("empty", around, preprocessing=AS_IT_IS)

    def test_a_file_is_no_folder(self, around: Surroundings) -> None:
        (around.root.folder / "file").write_text("")
        with pytest.raises(UnusableData, match="it is no folder"):
            FolderSource().read("file", around, preprocessing=AS_IT_IS)

    def test_classes_that_have_no_one_index_are_told(self, around: Surroundings) -> None:
        (around.root.folder / "pets/classes.txt").write_text("cat")
        with pytest.raises(UnusableData, match=r"classes\.txt does not list 'dog'"):
            self.read(around)

    def test_a_file_that_changes_while_it_is_read_is_noticed(self, around: Surroundings) -> None:
        file = around.root.folder / "pets/dog/c.webp"
        found = [folder.Found(file, 0)]
        recipe = folder.recipe("folder/pets", found, digests=["of old bytes"], wanted=AS_IT_IS)
        with pytest.raises(UnusableData, match=r"dog/c\.webp: it changed while it was read"):
            recipe.make(0)

    def test_images_of_several_sizes_need_a_crop(self, around: Surroundings) -> None:
        picture(around.root.folder / "pets/dog/z.png", size=(9, 9))
        with pytest.raises(UnusableData, match=r"dog/z\.png has shape .* preprocessing\.crop"):
            self.read(around)

    def test_a_crop_larger_than_an_image_is_refused(self, around: Surroundings) -> None:
        with pytest.raises(UnusableData, match=r"8×6 pixels hold no crop of 7"):
            FolderSource().read("pets", around, preprocessing=Preprocessing(crop=7))

    def test_a_link_out_of_the_root_is_refused(self, around: Surroundings, tmp_path: Path) -> None:
        picture(tmp_path / "secret.png")
        (around.root.folder / "pets/cat/zz.png").symlink_to(tmp_path / "secret.png")
        with pytest.raises(FileNotAllowed, match=r"cat/zz\.png.*symbolic link"):
            self.read(around)

    @pytest.mark.parametrize(
        "damage, words",
        [
            (lambda data: data[: len(data) // 2], "damaged"),
            (lambda data: b"", "no JPEG"),
            (lambda data: b"<html>", "no JPEG"),
        ],
    )
    def test_a_damaged_file_is_named(
        self, around: Surroundings, damage: Callable[[bytes], bytes], words: str
    ) -> None:
        file = around.root.folder / "pets/dog/a b (1).jpg"
        noise = RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(file)
        file.write_bytes(damage(file.read_bytes()))
        with pytest.raises(UnusableData, match=rf"folder/pets .*dog/a b \(1\)\.jpg: .*{words}"):
            FolderSource().read("pets", around, preprocessing=Preprocessing(resize=6))
        assert list(around.cache.glob("*.npy")) == []

    @pytest.mark.parametrize("side", [9_600, 14_000])
    def test_a_decompression_bomb_is_refused(self, around: Surroundings, side: int) -> None:
        Image.new("1", (side, side)).save(around.root.folder / "pets/cat/bomb.png")
        with pytest.raises(UnusableData, match=r"cat/bomb\.png: .*too many"):
            self.read(around)


class TestIndices:
    @pytest.mark.parametrize(
        "names, listed, found",
        [
            (["dog", "cat"], None, {"cat": 0, "dog": 1}),
            (["0003", "0990"], None, {"0003": 3, "0990": 990}),
            (["3", "cat"], None, {"3": 0, "cat": 1}),
            (["dog", "cat"], ["dog", "eel", "cat"], {"dog": 0, "cat": 2}),
            (["5"], ["7", "5"], {"5": 1}),
        ],
    )
    def test_numbers_are_the_index_and_names_are_sorted_unless_listed(
        self, names: list[str], listed: list[str] | None, found: dict[str, int]
    ) -> None:
        assert folder.indices(names, listed) == found

    @pytest.mark.parametrize(
        "names, listed, words", [(["01", "1"], None, "same number"), (["a"], ["b"], "list 'a'")]
    )
    def test_what_has_no_one_index_is_refused(
        self, names: list[str], listed: list[str] | None, words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            folder.indices(names, listed)

    def test_a_classes_file_holds(self, around: Surroundings) -> None:
        picture(around.root.folder / "pets/cat/a.png")
        (around.root.folder / "pets/classes.txt").write_text("dog\n\ncat\n")
        data = FolderSource().read("pets", around, preprocessing=AS_IT_IS)
        assert data.labels.tolist() == [1]


class TestNpz(DatasetSourceContract):
    name = "small"

    def source(self) -> DatasetSource:
        return ArraySource()

    def stock(self, root: Path) -> None:
        np.savez(root / "small.npz", images=PIXELS, labels=LABELS)

    def test_the_pixels_are_those_of_the_file(self, around: Surroundings) -> None:
        data = self.read(around)
        assert np.array_equal(data.pixels, PIXELS)
        assert isinstance(data.pixels, np.memmap)

    @pytest.mark.parametrize(
        "images, labels, words",
        [
            (PIXELS, LABELS[:3], "6 images but 3 labels"),
            (PIXELS, LABELS - 1, "a label is -1"),
            (PIXELS, LABELS / 2, "labels are float64"),
            (PIXELS[:0], LABELS[:0], "no images"),
            (PIXELS.astype(np.int64), LABELS, "neither uint8 nor float32"),
            (PIXELS[:, :2, :, :], LABELS, "shape"),
            (PIXELS.astype(np.float32), LABELS, r"in \[0, 1\]"),
            (np.full((6, 3, 2, 2), np.nan, np.float32), LABELS, r"in \[0, 1\]"),
            (np.array([{}] * 6), LABELS, "cannot be read"),
        ],
    )
    def test_arrays_that_are_no_dataset_are_refused(
        self,
        around: Surroundings,
        images: npt.NDArray[Any],
        labels: npt.NDArray[Any],
        words: str,
    ) -> None:
        np.savez(around.root.folder / "small.npz", images=images, labels=labels)
        with pytest.raises(UnusableData, match=rf"arrays/small .*{words}"):
            self.read(around)

    def test_a_missing_array_is_named(self, around: Surroundings) -> None:
        np.savez(around.root.folder / "small.npz", images=PIXELS)
        with pytest.raises(UnusableData, match="labels"):
            self.read(around)

    @pytest.mark.parametrize("size", [0, 10, 400])
    def test_a_damaged_file_is_refused(self, around: Surroundings, size: int) -> None:
        file = around.root.folder / "small.npz"
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(UnusableData, match=r"small\.npz cannot be read"):
            self.read(around)

    def test_a_flipped_byte_is_noticed(self, around: Surroundings) -> None:
        file = around.root.folder / "small.npz"
        np.savez_compressed(file, images=PIXELS, labels=LABELS)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        with pytest.raises(UnusableData, match=r"small\.npz cannot be read"):
            self.read(around)

    @pytest.mark.parametrize("layout", [(0, 2, 3, 1), (0, 1, 2, 3)])
    def test_channels_may_come_last_or_first(
        self, around: Surroundings, layout: tuple[int, ...]
    ) -> None:
        images = PIXELS.transpose(layout)
        np.savez(around.root.folder / "small.npz", images=images, labels=LABELS)
        assert np.array_equal(self.read(around).pixels, PIXELS)

    def test_geometry_is_applied(self, around: Surroundings) -> None:
        data = ArraySource().read("small", around, preprocessing=Preprocessing(resize=14, crop=10))
        assert data.pixels.shape == (6, 3, 10, 10)


class TestSafetensors(DatasetSourceContract):
    name = "small"

    def source(self) -> DatasetSource:
        return ArraySource()

    def stock(self, root: Path) -> None:
        arrays = {"labels": LABELS, "images": PIXELS}
        safetensors.numpy.save_file(arrays, root / "small.safetensors")

    def test_it_is_mapped_in_place(self, around: Surroundings) -> None:
        data = self.read(around)
        assert np.array_equal(data.pixels, PIXELS)
        assert isinstance(data.pixels, np.memmap)
        assert not around.cache.exists()

    def test_floats_are_taken_as_they_are(self, around: Surroundings) -> None:
        floats = (PIXELS / 255).astype(np.float32)
        arrays = {"labels": LABELS, "images": floats}
        safetensors.numpy.save_file(arrays, around.root.folder / "small.safetensors")
        assert np.array_equal(self.read(around).pixels, floats)
        with pytest.raises(UnusableData, match="float32 images are not resized"):
            ArraySource().read("small", around, preprocessing=Preprocessing(crop=4))

    def test_an_offer_tells_how_many(self, around: Surroundings) -> None:
        (offered,) = ArraySource().offers(around)
        assert offered.details["images"] == 6

    def test_a_damaged_file_is_refused(self, around: Surroundings) -> None:
        file = around.root.folder / "small.safetensors"
        file.write_bytes(file.read_bytes()[:-9])
        with pytest.raises(UnusableData, match=r"small\.safetensors cannot be read"):
            self.read(around)


class TestTorchvision(DatasetSourceContract):
    name = "FashionMNIST"

    def source(self) -> DatasetSource:
        return TorchvisionSource()

    def stock(self, root: Path) -> None:
        raw = root / "FashionMNIST/raw"
        raw.mkdir(parents=True)
        for part, count in (("train", 2), ("t10k", 5)):
            images = RANDOM.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            header = struct.pack(">4i", 0x803, count, 28, 28)
            (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
            labels = struct.pack(">2i", 0x801, count) + bytes(range(count))
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)

    def test_the_test_images_are_read(self, around: Surroundings) -> None:
        data = self.read(around)
        assert data.pixels.shape == (5, 1, 28, 28)
        assert data.labels.tolist() == [0, 1, 2, 3, 4]

    def test_pickles_are_refused_with_a_way_out(self, around: Surroundings) -> None:
        with pytest.raises(UnusableData, match=r"pickles.*numpy\.savez.*arrays/"):
            TorchvisionSource().read("CIFAR10", around, preprocessing=AS_IT_IS)

    def test_damaged_files_are_refused(self, around: Surroundings) -> None:
        (around.root.folder / "FashionMNIST/raw/t10k-images-idx3-ubyte").write_bytes(b"1234")
        with pytest.raises(UnusableData, match="damaged"):
            self.read(around)

    def test_what_an_old_torchvision_pickled_is_not_opened(self, around: Surroundings) -> None:
        old = around.root.folder / "FashionMNIST/processed"
        old.mkdir()
        for name in ("training.pt", "test.pt"):
            (old / name).write_bytes(b"anything")
        assert len(self.read(around).labels) == 5
