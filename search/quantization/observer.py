"""Observing activations: first their range, then their histogram, in two passes."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch import nn

from search.quantization.histogram import BINS
from search.quantization.histogram import Histogram

#: share of the magnitude by which a constant tensor's range is widened, so that it has a width
_CONSTANT_MARGIN = 1e-3
#: values: torch counts in float32, where one more than 2**24 is 2**24 again
_COUNTED_AT_ONCE = 1 << 24

#: the smallest and the largest value of a tensor
Extent = tuple[float, float]
#: (BINS,) how many values fell into each
BinCounts = npt.NDArray[np.int64]


class Note(Protocol):
    """Whatever takes note of a tensor."""

    def take(self, x: Tensor) -> None:
        """Note the tensor."""
        ...


class Observer(nn.Module):
    """Passes its input through and takes note of it while switched on."""

    def __init__(self) -> None:
        super().__init__()
        self.note: Note | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the input itself."""
        if self.note is not None:
            self.note.take(x)
        return x


class Size:
    """How many values the last tensor had."""

    def __init__(self) -> None:
        self.values = 0

    def take(self, x: Tensor) -> None:
        """Note the number of values."""
        self.values = x.numel()


class Range:
    """The smallest and the largest value seen."""

    def __init__(self) -> None:
        self._low: Tensor | None = None
        self._high: Tensor | None = None

    def take(self, x: Tensor) -> None:
        """Widen the range; stays on the tensor's device, so a GPU is not made to wait."""
        low, high = torch.aminmax(x)
        self._low = low if self._low is None else torch.minimum(self._low, low)
        self._high = high if self._high is None else torch.maximum(self._high, high)

    def extent(self) -> Extent:
        """Return (smallest, largest), NaN if any value was or none was seen."""
        if self._low is None or self._high is None:
            return (float("nan"), float("nan"))
        return (float(self._low), float(self._high))

    def bounds(self) -> tuple[float, float]:
        """Return (low, high) with low < high; not finite if any value was not, or none was seen."""
        return bounds([self.extent()])


def bounds(extents: Iterable[Extent]) -> tuple[float, float]:
    """Return (low, high), low < high, that hold all of these; not finite if one of them is not."""
    lows, highs = zip(*extents, strict=True)
    # unlike Python's, these do not pass over NaN
    low, high = float(np.min(lows)), float(np.max(highs))
    if low == high:
        margin = max(abs(low), 1.0) * _CONSTANT_MARGIN
        # a constant 0 or above stays unsigned
        return (low if low >= 0 else low - margin, high + margin)
    return (low, high)


class Counts:
    """How many values fall into each bin of a known range."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._counts: Tensor | None = None

    def take(self, x: Tensor) -> None:
        """Count the values; x lies within the range."""
        for values in torch.split(x.flatten(), _COUNTED_AT_ONCE):
            found = torch.histc(values.float(), bins=BINS, min=self._low, max=self._high)
            counts = found.to(torch.int64)
            self._counts = counts if self._counts is None else self._counts + counts

    def counts(self) -> BinCounts:
        """Return what was counted, shape (BINS,); at least one tensor was taken."""
        assert self._counts is not None  # noqa: S101  # both passes see the same batches
        counted: BinCounts = self._counts.cpu().numpy()
        return counted

    def histogram(self) -> Histogram:
        """Return what was counted over its range; at least one tensor was taken."""
        return Histogram(self._low, self._high, self.counts())
