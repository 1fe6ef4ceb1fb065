"""Decoded images are found again, whole or not at all."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from search.preprocessing import Preprocessing
from workers.datasets import cache
from workers.room import DiskFull
from workers.room import DiskTooSmall

PICTURES = [np.full((3, 4, 4), n, np.uint8) for n in range(5)]


class Counted:
    """Makes the pictures and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[cache.Picture]:
        self.times += 1
        yield from PICTURES


def kept(folder: Path, make: Counted) -> cache.Picture:
    return cache.kept(folder, "name", count=5, make=make)


class TestKept:
    def test_images_are_made_once_and_mapped(self, tmp_path: Path) -> None:
        make = Counted()
        first, again = kept(tmp_path, make), kept(tmp_path, make)
        assert make.times == 1
        assert np.array_equal(first, PICTURES)
        assert np.array_equal(again, PICTURES)
        assert isinstance(again, np.memmap)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: data[:-1],
            lambda data: data + b"x",
            lambda data: data[:200],
            lambda data: b"",
            lambda data: data[:150] + bytes([data[150] ^ 1]) + data[151:],
        ],
        ids=["cut", "longer", "half", "empty", "flipped"],
    )
    def test_a_damaged_file_is_noticed_and_made_again(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        make = Counted()
        kept(tmp_path, make)
        (file,) = tmp_path.iterdir()
        file.write_bytes(damage(file.read_bytes()))
        assert np.array_equal(kept(tmp_path, make), PICTURES)
        assert make.times == 2

    def test_what_fails_half_way_leaves_nothing(self, tmp_path: Path) -> None:
        def broken() -> Iterator[cache.Picture]:
            yield PICTURES[0]
            raise OSError

        with pytest.raises(OSError):  # noqa: PT011  # raised above
            cache.kept(tmp_path, "name", count=5, make=broken)
        assert list(tmp_path.iterdir()) == []

    def test_without_room_nothing_half_written_is_left_and_what_is_full_is_told(
        self, tmp_path: Path
    ) -> None:
        def on_a_full_disk() -> Iterator[cache.Picture]:
            yield PICTURES[0]
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(DiskFull, match=r"MiB are free; free some, or .* BITFLOOR_CACHE_DIR"):
            cache.kept(tmp_path, "name", count=5, make=on_a_full_disk)
        assert list(tmp_path.iterdir()) == []

    def test_what_cannot_fit_is_told_before_the_second_image_is_made(self, tmp_path: Path) -> None:
        made: list[int] = []

        def counted() -> Iterator[cache.Picture]:
            for picture in PICTURES:
                made.append(1)
                yield picture

        size = shutil.disk_usage(tmp_path).total
        with pytest.raises(DiskTooSmall, match=r"MiB in all and .* MiB are needed"):
            cache.kept(tmp_path, "name", count=size, make=counted)
        assert len(made) == 1
        assert list(tmp_path.iterdir()) == []

    def test_checking_a_large_file_can_be_interrupted(self, tmp_path: Path) -> None:
        def check() -> None:
            raise KeyboardInterrupt

        kept(tmp_path, Counted())
        with pytest.raises(KeyboardInterrupt):
            cache.kept(tmp_path, "name", count=5, make=Counted(), check=check)

    def test_two_at_once_both_get_all_images(self, tmp_path: Path) -> None:
        barrier = threading.Barrier(2)
        found: list[cache.Picture] = []

        def together() -> Iterator[cache.Picture]:
            barrier.wait(10)
            yield from PICTURES

        def work() -> None:
            found.append(cache.kept(tmp_path, "name", count=5, make=together))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(images, PICTURES) for images in found)
        assert len(found) == 2
        assert [file.name for file in tmp_path.iterdir()] == ["name.npy"]

    def test_what_a_killed_worker_left_is_removed_in_time(self, tmp_path: Path) -> None:
        old, young = tmp_path / ".a.npy-part", tmp_path / ".b.npy-part"
        for file in (old, young):
            file.touch()
        os.utime(old, (time.time() - 7200,) * 2)
        kept(tmp_path, Counted())
        assert (old.exists(), young.exists()) == (False, True)


class TestKey:
    def test_contents_order_and_geometry_count_but_not_normalization(self) -> None:
        plain = Preprocessing(resize=8)
        keys = {
            cache.key(["a", "b"], plain),
            cache.key(["b", "a"], plain),
            cache.key(["a"], plain),
            cache.key(["a", "b"], Preprocessing(resize=8, crop=4)),
            cache.key(["a", "b"], Preprocessing(resize=8, interpolation="bicubic")),
        }
        assert len(keys) == 5
        normalized = Preprocessing(resize=8, mean=(0.5,), std=(0.5,))
        assert cache.key(["a", "b"], normalized) in keys


class TestInOrder:
    def test_it_keeps_the_order_and_stops_at_what_raises(self) -> None:
        def work(number: int) -> int:
            if number == 70:
                raise ValueError(number)
            return number

        seen: list[int] = []
        with pytest.raises(ValueError, match="70"):
            seen.extend(cache.in_order(work, 100, check=lambda: None))
        assert list(cache.in_order(work, 60, check=lambda: None)) == list(range(60))
