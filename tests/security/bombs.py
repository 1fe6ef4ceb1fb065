"""Reads small files that claim to be enormous, and tells what that cost.

`python -m tests.security.bombs FOLDER` makes each file, reads it as a worker does, and prints a
line with the file's size, the error, and by how many bytes the process grew.
"""

import io
import json
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from search.preprocessing import Preprocessing
from workers.datasets.arrays import ArraySource
from workers.datasets.folder import FolderSource
from workers.datasets.source import Surroundings
from workers.errors import CorruptWeights
from workers.errors import WorkerError
from workers.models import archive
from workers.models import weights
from workers.models.registry import open_models
from workers.roots import Root

HUGE = 2**29  # bytes
_BLOCK = bytes(2**24)


def _archive(path: Path, records: dict[str, bytes], huge: str, *, beginning: bytes = b"") -> None:
    """Write an archive of these records and one of HUGE bytes, all but nothing when deflated."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, content in records.items():
            made.writestr(name, content)
        with made.open(huge, "w", force_zip64=True) as record:
            record.write(beginning)
            for _ in range(HUGE // len(_BLOCK)):
                record.write(_BLOCK)


def _header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    told = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, told)
    return buffer.getvalue()


def _labels() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(1, np.int64))
    return buffer.getvalue()


def _png(side: int) -> bytes:
    """Return a PNG of side x side pixels that are all black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    packer = zlib.compressobj(1)
    row = bytes(1 + side // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _jpeg(side: int) -> bytes:
    """Return the head of a JPEG that tells of side x side pixels, and little behind it."""
    frame = struct.pack(">BHHB", 8, side, side, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    scan = bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    return b"\xff\xd8" + b"".join(
        marker + struct.pack(">H", len(content) + 2) + content
        for marker, content in ((b"\xff\xc0", frame), (b"\xff\xda", scan))
    )


def _program(folder: Path) -> None:
    _archive(
        folder / "bomb.pt2",
        {"bomb/archive_format": b"pt2", "bomb/version": b"3"},
        "bomb/models/model.json",
        beginning=b"[",
    )


def _views(folder: Path) -> None:
    torch.save({"w": torch.zeros(1, dtype=torch.float16).expand(HUGE // 4)}, folder / "bomb.pth")


def _array(folder: Path) -> None:
    head = _header((HUGE // 64, 8, 8))
    _archive(folder / "bomb.npz", {"labels.npy": _labels()}, "images.npy", beginning=head)


def _liar(folder: Path) -> None:
    with zipfile.ZipFile(folder / "bomb.npz", "w") as made:
        made.writestr("labels.npy", _labels())
        made.writestr("images.npy", _header((HUGE, 64, 64)) + bytes(100))


def _pictures(folder: Path, name: str, content: bytes) -> None:
    (folder / "bomb/a").mkdir(parents=True)
    (folder / "bomb/a" / name).write_bytes(content)


MAKE: dict[str, Callable[[Path], None]] = {
    "program": _program,
    "overview": _program,
    "weights": lambda f: _archive(
        f / "bomb.pth", {"a/data.pkl": b"", "a/version": b"3"}, "a/data/0"
    ),
    "views": _views,
    "array": _array,
    "liar": _liar,
    "png": lambda folder: _pictures(folder, "bomb.png", _png(20_000)),
    "jpeg": lambda folder: _pictures(folder, "bomb.jpg", _jpeg(65_000)),
}


def read(kind: str, folder: Path) -> object:
    """Read the file as a worker does."""
    around = Surroundings(root=Root(folder, "data root", "V"), cache=folder / "cache")
    match kind:
        case "program":
            return open_models(folder).load("program/bomb")
        case "overview":
            if not archive.described(folder / "bomb.pt2"):
                raise CorruptWeights("program/bomb", "it is described by nothing")
            return None
        case "weights" | "views":
            return weights.read(folder / "bomb.pth", model="bomb")
        case "array" | "liar":
            return ArraySource().read("bomb", around, preprocessing=Preprocessing())
        case _:
            return FolderSource().read("bomb", around, preprocessing=Preprocessing(resize=8))


def peak() -> int:
    """Return the most memory that the process ever had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def told(kind: str, folder: Path) -> dict[str, object]:
    """Make one bomb, read it, and return what happened."""
    folder.mkdir()
    MAKE[kind](folder)
    size = sum(file.stat().st_size for file in folder.rglob("bomb.*"))
    before = peak()
    try:
        read(kind, folder)
    except WorkerError as error:
        grown = peak() - before
        return {"code": error.code, "message": str(error), "grown": grown, "size": size}
    return {"code": None, "message": "it was read", "grown": peak() - before, "size": size}


if __name__ == "__main__":
    for each in MAKE:
        print(json.dumps({each: told(each, Path(sys.argv[1]) / each)}))  # noqa: T201 - for the test
