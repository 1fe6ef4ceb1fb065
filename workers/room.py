"""Files of the cache are on the disk whole or not at all, and a disk without room says so."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage
from tempfile import NamedTemporaryFile
from typing import IO

from workers.errors import WorkerError

#: of what the system raises where a disk, or somebody's share of it, is full
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_PART = "-part"
_ABANDONED = 3600.0  # seconds since the last write to a file that is not yet complete
_MIB = 2**20


class DiskFull(WorkerError):
    """There is no room for a file of the cache; it is the machine's fault, and may pass."""

    code = "disk-full"

    def __init__(self, folder: object, *, free: str, needed: str | None = None) -> None:
        wanted = f" and {needed} are needed" if needed else ""
        super().__init__(
            f"the disk of the cache, {folder}, is full: {free} are free{wanted}; free some, or "
            "choose another folder with BITFLOOR_CACHE_DIR; the job is tried again by itself"
        )


class DiskTooSmall(WorkerError):
    """A file of the cache is larger than its disk."""

    code = "disk-too-small"

    def __init__(self, folder: object, *, size: str, needed: str) -> None:
        super().__init__(
            f"the disk of the cache, {folder}, holds {size} in all and {needed} are needed; choose "
            "another folder with BITFLOOR_CACHE_DIR"
        )


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write, which is on the disk under its name in the end.

    Whatever is raised, nothing is left of it. Raises DiskFull. Makes the folder if there is none,
    and removes from it what workers left that were ended while they wrote.
    """
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        with NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.stem}.", suffix=f"{path.suffix}{_PART}", delete=False
        ) as file:
            part = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        if part is not None:
            part.unlink(missing_ok=True)
        if is_full(error):
            raise DiskFull(path.parent, free=_mib(_usage(path.parent)[1])) from error
        raise


def require(folder: Path, size: int) -> None:
    """Raise DiskFull if the folder's disk lacks room for so many bytes, DiskTooSmall for ever."""
    total, free = _usage(folder)
    if free >= size:
        return
    # some file systems do not know how large they are
    if 0 < total < size:
        raise DiskTooSmall(folder, size=_mib(total), needed=_mib(size))
    raise DiskFull(folder, free=_mib(free), needed=_mib(size))


def is_full(error: BaseException) -> bool:
    """Tell whether the system refused to write for want of room."""
    return isinstance(error, OSError) and error.errno in FULL


def _usage(folder: Path) -> tuple[int, int]:
    """Return the size of the folder's disk and what is free of it, bytes."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    usage = disk_usage(there)
    return usage.total, usage.free


def _sweep(folder: Path) -> None:
    for file in folder.glob(".*part"):
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > _ABANDONED:
                file.unlink()


def _mib(size: int) -> str:
    return f"{size / _MIB:,.1f} MiB"
