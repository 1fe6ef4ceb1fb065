"""What a dataset source is: it lists what there is, and reads one dataset by name."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from search.preprocessing import Preprocessing
from workers.roots import Root

Indices = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where datasets are, and where what was decoded is kept."""

    root: Root
    #: may be deleted at any time while no job runs
    cache: Path
    #: looked at between two images; raises to interrupt
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Offered:
    """A dataset that there is."""

    #: without the source's prefix; "" if the prefix alone names it
    name: str
    #: what people want to know before choosing it, ready for JSON
    details: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Labelled:
    """All labelled images of one dataset, resized and cropped, not normalized."""

    #: (n, channels, height, width): uint8, or float32 in [0, 1]; memory-mapped where it can be
    pixels: Pixels
    #: (n,) class indices
    labels: Indices
    #: the calibration, search and certification images, where the dataset fixes them
    fixed: tuple[Indices, Indices, Indices] | None = None


class DatasetSource(Protocol):
    """One way to come by datasets; `PREFIX/NAME` in a request reaches it as NAME.

    Reading twice gives the same images and labels in the same order, on every machine. Nothing is
    downloaded, no file is unpickled, and no file outside the data root is opened. Only geometry is
    taken from `preprocessing`: normalization happens later, with every batch.
    """

    def offers(self, around: Surroundings) -> Iterable[Offered]:
        """Return what there is, as far as that costs nothing; a missing root holds nothing."""
        ...

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        """Return the dataset.

        Raises UnusableData for what cannot be read, FileNotThere and FileNotAllowed for names.
        """
        ...
