"""`arrays/NAME`: NAME.npz or NAME.safetensors with `images` and `labels`."""

import hashlib
import json
import math
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors import safe_open

from search.preprocessing import Preprocessing
from workers.datasets import prepared
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Pixels
from workers.datasets.source import Surroundings
from workers.errors import FileNotThere
from workers.errors import UnusableData

SUFFIXES = (".npz", ".safetensors")
IMAGES, LABELS = "images", "labels"
#: times that an array may be larger than its compressed bytes, beyond what is small anyway
MOST_INFLATED = 100
INFLATED_ANYWAY = 64 * 2**20  # bytes

#: each reader has its own ways to say that a file is damaged
_DAMAGED = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, SafetensorError)

Arrays = tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]


class ArraySource:
    """Arrays in the data root; a .safetensors file comes before an .npz of the same name."""

    def offers(self, around: Surroundings) -> Iterable[Offered]:
        """Return the files; safetensors say for nothing how many images they hold."""
        for name in around.root.files(*SUFFIXES):
            path = around.root.folder / name
            yield Offered(path.stem, _details(path))

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        """Return the images with their channels first."""
        dataset = f"arrays/{name}"
        path = _find(name, around)
        mapped = path.suffix == ".safetensors"
        try:
            images, labels = _safetensors(path) if mapped else _npz(path)
        except KeyError as error:
            raise UnusableData(dataset, f"{path.name} has no array {error}") from error
        except _DAMAGED as error:
            raise UnusableData(dataset, f"{path.name} cannot be read: {error}") from error

        def keep(pixels: prepared.Picture) -> Pixels:
            if mapped and prepared.keeps_geometry(pixels.shape, preprocessing):
                return pixels
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return prepared.fitted(
                pixels, digest, around=around, dataset=dataset, wanted=preprocessing
            )

        return prepared.of_arrays(images, labels, dataset=dataset, keep=keep, wanted=preprocessing)


def _find(name: str, around: Surroundings) -> Path:
    try:
        return around.root.file(f"{name}.safetensors")
    except FileNotThere:
        return around.root.file(f"{name}.npz")


def _npz(path: Path) -> Arrays:
    # not numpy.load: it believes a header that tells of any size, and opens more than archives
    with zipfile.ZipFile(path) as archive:
        return _array(archive, IMAGES), _array(archive, LABELS)


def _array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[np.generic]:
    try:
        record = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise KeyError(name) from None
    with archive.open(record) as file:
        _require_plausible(file, record)
    with archive.open(record) as file:
        array: npt.NDArray[np.generic] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _require_plausible(file: IO[bytes], record: zipfile.ZipInfo) -> None:
    """Raise ValueError for an array that would be far larger than what the file holds."""
    if record.file_size > MOST_INFLATED * record.compress_size + INFLATED_ANYWAY:
        msg = f"{record.filename} is compressed too well to be images: to {record.compress_size:,}"
        raise ValueError(f"{msg} of {record.file_size:,} bytes")
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(np.lib.format.read_magic(file))
    if read_header is None:
        raise ValueError(f"{record.filename} is of no format that holds plain arrays")
    shape, _, dtype = read_header(file)
    told = math.prod(shape) * dtype.itemsize
    if told > record.file_size:
        msg = f"{record.filename} tells of {told:,} bytes and holds {record.file_size:,}"
        raise ValueError(msg)


def _safetensors(path: Path) -> Arrays:
    # checks the whole header, so that what follows may trust it
    with safe_open(path, framework="np"):
        pass
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return tuple(_mapped(path, header[name], start=8 + size) for name in (IMAGES, LABELS))  # type: ignore[return-value]  # two of them


_DTYPES = {"U8": "u1", "F32": "<f4", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}


def _mapped(path: Path, told: dict[str, Any], *, start: int) -> npt.NDArray[np.generic]:
    if told["dtype"] not in _DTYPES:
        msg = f"it holds {told['dtype']}; known are {', '.join(_DTYPES)}"
        raise ValueError(msg)
    # copy-on-write: torch warns of tensors over memory that cannot be written
    return np.memmap(
        path,
        dtype=_DTYPES[told["dtype"]],
        mode="c",
        offset=start + told["data_offsets"][0],
        shape=tuple(told["shape"]),
    )


def _details(path: Path) -> dict[str, object]:
    if path.suffix == ".npz":
        return {"file": path.name}
    try:
        with safe_open(path, framework="np") as arrays:
            return {"file": path.name, "images": arrays.get_slice(LABELS).get_shape()[0]}
    except (OSError, SafetensorError, IndexError):
        return {"file": path.name}
