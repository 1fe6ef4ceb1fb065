"""Decoded images as memory-mapped files, found by what they were decoded from and how.

A file holds an array in NumPy's format and, behind it, the SHA-256 of all bytes before. It appears
under its name complete or not at all, whoever writes it and however often.
"""

import hashlib
import io
import json
import os
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import PIL
import structlog

from search.preprocessing import Preprocessing
from workers import room

log = structlog.get_logger()

Picture = npt.NDArray[np.uint8]
Made = TypeVar("Made")

FORMAT = 1  # raised when the same bytes would be decoded to other pixels
THREADS = min(16, os.cpu_count() or 1)
DIGEST_SIZE = 32  # bytes
_CHUNK = 2**20  # bytes
_LOG_EVERY = 10.0  # seconds


def key(contents: Sequence[str], wanted: Preprocessing) -> str:
    """Return the name for images of these digests, in order, in this geometry."""
    said = [FORMAT, PIL.__version__, wanted.resize, wanted.crop, wanted.interpolation, *contents]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def in_order(
    work: Callable[[int], Made], count: int, *, check: Callable[[], None]
) -> Iterator[Made]:
    """Yield work(0), work(1), ... done by several threads, few of them ahead of the reader.

    `check` may raise between two of them; what raises ends the rest.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="decode") as pool:
        numbers = iter(range(count))
        waiting: list[Future[Made]] = [pool.submit(work, i) for i in islice(numbers, 4 * THREADS)]
        try:
            while waiting:
                check()
                made = waiting.pop(0).result()
                waiting += [pool.submit(work, i) for i in islice(numbers, 1)]
                yield made
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def kept(
    folder: Path,
    name: str,
    *,
    count: int,
    make: Callable[[], Iterator[Picture]],
    check: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.uint8]:
    """Return the images kept under the name, shape (count, ...); made first if there are none.

    `make` yields images of equal shape; `check` may raise to interrupt. A file that is cut off or
    altered is made again. Raises DiskFull and DiskTooSmall, before most are made where it can.
    """
    path = folder / f"{name}.npy"
    if path.exists():
        if is_whole(path, check):
            return _mapped(path)
        log.warning("a cached file is damaged and made again", file=str(path))
    with room.written(path) as file:
        _write(file, make(), folder=folder, count=count)
    return _mapped(path)


def is_whole(path: Path, check: Callable[[], None] = lambda: None) -> bool:
    """Return whether the file is as it was written; `check` may raise to interrupt."""
    left = path.stat().st_size - DIGEST_SIZE
    seen = hashlib.sha256()
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            check()
            seen.update(chunk)
            left -= len(chunk)
        return left == 0 and file.read() == seen.digest()


def _write(file: IO[bytes], pictures: Iterator[Picture], *, folder: Path, count: int) -> None:
    seen = hashlib.sha256()

    def put(data: bytes) -> None:
        seen.update(data)
        file.write(data)

    told = time.monotonic()
    for number, picture in enumerate(pictures):
        if number == 0:
            room.require(folder, count * picture.nbytes)
            put(_header((count, *picture.shape)))
        put(picture.tobytes())
        if time.monotonic() - told > _LOG_EVERY:
            told = time.monotonic()
            log.info("decoding", images=number + 1, of=count)
    file.write(seen.digest())


def _header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    told = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, told)
    return buffer.getvalue()


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    # copy-on-write: torch warns of tensors over memory that cannot be written
    array: npt.NDArray[np.uint8] = np.load(path, mmap_mode="c", allow_pickle=False)
    return array
