"""The values of a weight by output channel, and a sketch of them small enough to fit on."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from search.quantization.histogram import Values

#: a channel of more values is sketched by so many bins; of fewer, its values are the sketch
BINS = 1024
_LARGEST_EXACT = 4 * BINS
_AT_ONCE = 1 << 20  # values that are looked at together: they fit into a processor's cache

Singles = npt.NDArray[np.float32]


class Sketch(NamedTuple):
    """Values that stand for those of every channel, and how many each of them stands for."""

    #: (channels, n)
    values: Singles
    #: (channels, n)
    counts: Singles


@dataclass(frozen=True, eq=False)
class Channels:
    """A weight of shape (channels, values), float32; read when needed, since it may be large."""

    read: Callable[[], Singles]

    @cached_property
    def bounds(self) -> tuple[Values, Values]:
        """(channels,) smallest and largest value, widened to hold 0."""
        values = self.read()
        low, high = values.min(axis=1), values.max(axis=1)
        return np.minimum(low, 0).astype(np.float64), np.maximum(high, 0).astype(np.float64)

    @cached_property
    def sketch(self) -> Sketch:
        """The values themselves, or the centres of BINS equal bins and how many lie in each."""
        values = self.read()
        if values.shape[1] <= _LARGEST_EXACT:
            return Sketch(values, np.ones((1, 1), dtype=np.float32))
        low, high = (bound[:, None] for bound in self.bounds)
        width = np.maximum((high - low) / BINS, np.finfo(np.float32).tiny)
        counts = np.concatenate(
            [_counted(values[part], low=low[part], width=width[part]) for part in parts(values)]
        )
        centers = low + width * (np.arange(BINS) + 0.5)
        return Sketch(centers.astype(np.float32), counts)


def parts(values: Singles) -> Iterator[slice]:
    """Yield the channels, some at a time."""
    step = max(1, _AT_ONCE // values.shape[1])
    for start in range(0, len(values), step):
        yield slice(start, start + step)


def _counted(values: Singles, *, low: Values, width: Values) -> Singles:
    """Return how many values of each channel lie in each bin, shape (channels, BINS)."""
    bins = ((values - low.astype(np.float32)) / width.astype(np.float32)).astype(np.int64)
    bins = np.minimum(bins, BINS - 1) + BINS * np.arange(len(values))[:, None]
    counts = np.bincount(bins.ravel(), minlength=BINS * len(values))
    return counts.reshape(len(values), BINS).astype(np.float32)
