"""The distribution of one point's activations, fine enough that every option is fitted from it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: bins per histogram; k-means on this many weighted values takes milliseconds
BINS = 4096

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in equal bins over [low, high], low < high."""

    low: float
    high: float
    #: (bins,)
    counts: Counts

    @property
    def width(self) -> float:
        """Width of one bin, in the activation's own units."""
        return (self.high - self.low) / len(self.counts)

    @property
    def centers(self) -> Values:
        """(bins,) midpoints."""
        indices = np.arange(len(self.counts), dtype=np.float64)
        centers: Values = self.low + self.width * (indices + 0.5)
        return centers

    @property
    def signed(self) -> bool:
        """Some value is negative, so a sign must be stored."""
        return self.low < 0

    def error(self, quantized: Values) -> float:
        """Return the mean squared error when each bin's values are stored as `quantized`.

        `quantized` has shape (bins,).
        """
        difference = self.centers - quantized
        return float(np.average(difference * difference, weights=self.counts))

    def absolute_error(self, quantized: Values) -> float:
        """Return the mean absolute error when each bin's values are stored as `quantized`.

        It weighs rare large values less than the squared error does.
        """
        return float(np.average(np.abs(self.centers - quantized), weights=self.counts))

    def coarse(self, bins: int) -> list[int]:
        """Return the counts in fewer bins, to plot; `bins` divides the number of bins."""
        return [int(n) for n in self.counts.reshape(bins, -1).sum(axis=1)]
