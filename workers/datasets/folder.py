"""`folder/NAME`: one sub-folder per class, JPEG, PNG or WebP inside."""

import hashlib
import os
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from search.preprocessing import Preprocessing
from workers.datasets import cache
from workers.datasets import pictures
from workers.datasets.prepared import Recipe
from workers.datasets.prepared import decoded
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.errors import FileNotAllowed
from workers.errors import UnusableData

log = structlog.get_logger()

CLASSES_FILE = "classes.txt"
MOST_COUNTED = 100_000  # images counted for an offer; more are not


@dataclass(frozen=True, slots=True)
class Found:
    """One image file."""

    path: Path
    label: int


class FolderSource:
    """Folders of images right in the data root.

    A class's index is the place of its folder among the sorted names; where all names are whole
    numbers, the name itself is the index; where there is a `classes.txt`, the line that has the
    name, counted from 0. Files with other endings are left alone.
    """

    def offers(self, around: Surroundings) -> Iterable[Offered]:
        """Return the folders of the data root that hold folders of images."""
        for folder in _folders(around.root.folder):
            classes = _folders(folder)
            images = _count(classes)
            if images:
                details: dict[str, object] = {"classes": len(classes)}
                if images < MOST_COUNTED:
                    details["images"] = images
                yield Offered(folder.name, details)

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        """Return the images as RGB."""
        dataset = f"folder/{name}"
        folder = around.root.find(name)
        if not folder.is_dir():
            raise UnusableData(dataset, "it is no folder")
        files = _files(folder, around, dataset=dataset)
        digests = list(_digests(files, around))
        steps = recipe(dataset, files, digests=digests, wanted=preprocessing)
        labels = np.array([file.label for file in files], dtype=np.int64)
        return Labelled(decoded(steps, around, wanted=preprocessing), labels)


def indices(names: Sequence[str], listed: Sequence[str] | None) -> Mapping[str, int]:
    """Return class folder -> class index; raises ValueError saying what is wrong."""
    if listed is not None:
        missing = [name for name in names if name not in listed]
        if missing:
            msg = f"{CLASSES_FILE} does not list {missing[0]!r}"
            raise ValueError(msg)
        return {name: listed.index(name) for name in names}
    if all(name.isascii() and name.isdigit() for name in names):
        found = {name: int(name) for name in names}
        if len(set(found.values())) < len(found):
            msg = "two class folders are the same number"
            raise ValueError(msg)
        return found
    return {name: index for index, name in enumerate(sorted(names))}


def _files(folder: Path, around: Surroundings, *, dataset: str) -> list[Found]:
    """Return every image file, by class folder and name, so that their order never changes."""
    classes = _folders(folder)
    holding = {c.name: _images(_inside(c, around), around) for c in classes}
    try:
        index = indices([c.name for c in classes], _listed(folder))
    except ValueError as error:
        raise UnusableData(dataset, str(error)) from error
    found = [Found(path, index[name]) for name in sorted(holding) for path in holding[name]]
    if not found:
        why = f"it has no sub-folder with {', '.join(pictures.SUFFIXES)} files, one per class"
        raise UnusableData(dataset, why)
    return found


def _images(folder: Path, around: Surroundings) -> list[Path]:
    with os.scandir(folder) as entries:
        present = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    wanted = [name for name in present if name.lower().endswith(pictures.SUFFIXES)]
    if len(wanted) < len(present):
        others = sorted({*present} - {*wanted})
        log.warning(
            "files that are no images", folder=folder.name, files=len(others), e_g=others[0]
        )
    return [_inside(folder / name, around) for name in wanted]


def _inside(path: Path, around: Surroundings) -> Path:
    """Return the path; raises FileNotAllowed for a link that leads out of the root."""
    if path.is_symlink() and not path.resolve().is_relative_to(around.root.folder.resolve()):
        why = "a symbolic link leads out of it"
        raise FileNotAllowed(f"{path.parent.name}/{path.name}", around.root.title, why=why)
    return path


def _listed(folder: Path) -> list[str] | None:
    file = folder / CLASSES_FILE
    if not file.is_file():
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _digests(files: Sequence[Found], around: Surroundings) -> Iterable[str]:
    def digest(number: int) -> bytes:
        with files[number].path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    for one in cache.in_order(digest, len(files), check=around.check):
        yield one.hex()


def recipe(
    dataset: str, files: Sequence[Found], *, digests: Sequence[str], wanted: Preprocessing
) -> Recipe:
    """Return how to decode the files, each as long as it still has the digest it had."""

    def title(number: int) -> str:
        path = files[number].path
        return f"{path.parent.name}/{path.name}"

    def make(number: int) -> pictures.Picture:
        path = files[number].path

        def refuse(why: str) -> UnusableData:
            return UnusableData(dataset, f"{title(number)}: {why}")

        data = path.read_bytes()
        # or the cache would hold other images than its name says
        if hashlib.sha256(data).hexdigest() != digests[number]:
            raise refuse("it changed while it was read")
        return pictures.decode(data, wanted, refuse=refuse)

    return Recipe(dataset, digests, len(files), make, title)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _count(classes: Sequence[Path]) -> int:
    images = 0
    for folder in classes:
        with os.scandir(folder) as entries:
            images += sum(entry.name.lower().endswith(pictures.SUFFIXES) for entry in entries)
        if images >= MOST_COUNTED:
            break
    return images
