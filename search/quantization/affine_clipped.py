"""Affine with a clipped range: fewer values at its ends are exact, all others are finer.

Both kinds keep what `affine` keeps: evenly spaced levels, 0 exact. They differ in what they try and
in what they call good.
"""

import itertools
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from search.quantization.affine import spread
from search.quantization.histogram import Counts
from search.quantization.histogram import Histogram
from search.quantization.histogram import Values
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import register

#: shares of a side's values that a candidate bound of `affine_percentile` leaves unclipped
PERCENTILES = (0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)

_OCTAVES = 6  # down to which share of the range a bound of `affine_mse` is looked for: 2**-6
_FINEST = 1 / 32  # octaves between the last candidates, 2 % of the bound

#: of (histogram, stored value of every bin)
Error = Callable[[Histogram, Values], float]


@register(
    "affine_mse",
    summary="evenly spaced levels over the range with the least squared error, 0 exact",
    keeps_zero=True,
)
def fit_mse(calibration: Calibration, point: str, *, bit_width: int) -> Affine:
    """Return the range with the least mean squared error on this point's histogram.

    Both ends are searched together, each as a share of its extreme, first in steps of half an
    octave, then ever finer around the best pair; data of one sign has one end to search, the other
    is 0. The whole range is among the candidates, so the error is never above that of `affine`.
    """
    histogram = calibration.histogram(point)
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    best = (0.0, 0.0)  # octaves by which each end is drawn in
    step = 0.5
    while step >= _FINEST:
        reach = _OCTAVES if step == 0.5 else 2 * step  # noqa: PLR2004  # the first round sees all
        ends = [
            _around(octaves, reach=reach, step=step) if extreme else [0.0]
            for octaves, extreme in zip(best, (low, high), strict=True)
        ]
        ranges = {(low * 2.0**-a, high * 2.0**-b): (a, b) for a, b in itertools.product(*ends)}
        best = ranges[_best(histogram, [*ranges], bit_width=bit_width, error=Histogram.error)]
        step /= 4
    return spread(low * 2.0 ** -best[0], high * 2.0 ** -best[1], bit_width=bit_width)


@register(
    "affine_percentile",
    summary="evenly spaced levels between fitted percentiles, 0 exact; rare large values clip",
    keeps_zero=True,
)
def fit_percentile(calibration: Calibration, point: str, *, bit_width: int) -> Affine:
    """Return the percentile range with the least mean absolute error on this point's histogram.

    Each end is an extreme or one of PERCENTILES of the values on its side of 0, so that how many
    are 0 after a ReLU does not matter. No percentile suits every layer and bit-width, so both are
    fitted; under the absolute error, since the squared one gives a few far values most of the say.
    """
    histogram = calibration.histogram(point)
    # without the bin that 0 lies in: after a ReLU it holds the zeros
    lows = _percentiles(-histogram.centers[::-1], histogram.counts[::-1], above=histogram.width)
    highs = _percentiles(histogram.centers, histogram.counts, above=histogram.width)
    ranges = [
        (-low, high)
        for low in [max(-histogram.low, 0.0), *lows]
        for high in [max(histogram.high, 0.0), *highs]
    ]
    chosen = _best(histogram, ranges, bit_width=bit_width, error=Histogram.absolute_error)
    return spread(*chosen, bit_width=bit_width)


def _best(
    histogram: Histogram, ranges: Sequence[tuple[float, float]], *, bit_width: int, error: Error
) -> tuple[float, float]:
    """Return the first range with the least error."""

    def lost(bounds: tuple[float, float]) -> float:
        stored = spread(*bounds, bit_width=bit_width).quantize(histogram.centers)
        return error(histogram, stored)

    return min(ranges, key=lost)


def _around(octaves: float, *, reach: float, step: float) -> list[float]:
    """Return the candidates up to `reach` octaves off, none beyond the extreme; nearest 0 first."""
    count = round(reach / step)
    offsets = (octaves + step * n for n in range(-count, count + 1))
    return sorted({offset for offset in offsets if 0 <= offset <= _OCTAVES})


def _percentiles(values: Values, counts: Counts, *, above: float) -> list[float]:
    """Return PERCENTILES of the values above a limit; none if there are none. `values` ascend."""
    mass = np.cumsum(np.where(values > above, counts, 0))
    if mass[-1] == 0:
        return []
    at = np.searchsorted(mass, np.asarray(PERCENTILES) * mass[-1])
    return sorted({float(values[index]) for index in at}, reverse=True)
