"""Affine for weights, with a scale and a zero point for every output channel.

Channels differ in range by orders of magnitude, the more so once a batch-norm is folded into them;
one scale for all would be too coarse for most (Krishnamoorthi 2018, §3.1; Nagel et al. 2021, §2.4).
"""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from search.quantization.channels import Singles
from search.quantization.channels import Sketch
from search.quantization.channels import parts
from search.quantization.histogram import Values
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import PerChannelAffine
from search.quantization.quantizer import register

_SMALLEST_SCALE = 1e-30  # of a channel of zeros; float32 has its reciprocal
#: octaves by which an end of the range is drawn in, at first
_GRID = np.arange(0, 6.5, 0.5)
#: then in steps of so many octaves around the best, the last being 2 % of the bound
_STEPS = (1 / 8, 1 / 32)

#: (2, channels) octaves by which the low and the high end are drawn in -> (channels,) squared error
Error = Callable[[Values], Values]


def spread(low: Values, high: Values, *, bit_width: int) -> PerChannelAffine:
    """Return 2**bit_width evenly spaced levels over [low, high] of each channel, which holds 0."""
    quant_max = 2**bit_width - 1
    scales = np.maximum((high - low) / quant_max, _SMALLEST_SCALE)
    zero_points = np.clip(np.round(-low / scales), 0, quant_max).astype(np.int64)
    return PerChannelAffine(
        scales=scales, zero_points=zero_points, quant_min=0, quant_max=quant_max
    )


@register(
    "affine_per_channel",
    summary="weights: evenly spaced levels between min and max of each output channel, 0 exact",
    keeps_zero=True,
    per_channel=True,
)
def fit(calibration: Calibration, point: str, *, bit_width: int) -> PerChannelAffine:
    """Return the min-max parameters of every channel of this weight."""
    return spread(*calibration.channels(point).bounds, bit_width=bit_width)


@register(
    "affine_mse_per_channel",
    summary="weights: as affine_per_channel, over the range with the least squared error",
    keeps_zero=True,
    per_channel=True,
)
def fit_mse(calibration: Calibration, point: str, *, bit_width: int) -> PerChannelAffine:
    """Return for every channel the range with the least squared error that was found.

    Both ends are drawn in together first, then each alone, ever finer. What is found on a sketch is
    checked on the weight itself: no channel's error is above that of `affine_per_channel`.
    """
    channels = calibration.channels(point)
    low, high = channels.bounds
    sketch = channels.sketch
    octaves = np.concatenate(
        [
            _least(_error_of(sketch, part, bounds=(low, high), bit_width=bit_width), len(low[part]))
            for part in parts(sketch.values)
        ],
        axis=1,
    )
    drawn_in = spread(low * 2.0 ** -octaves[0], high * 2.0 ** -octaves[1], bit_width=bit_width)
    whole = spread(low, high, bit_width=bit_width)
    values = channels.read()
    return _better(drawn_in, whole, better=_error_on(values, drawn_in) <= _error_on(values, whole))


def _better(
    one: PerChannelAffine, other: PerChannelAffine, *, better: npt.NDArray[np.bool_]
) -> PerChannelAffine:
    """Return the parameters of `one` where it is better, else of `other`."""
    return replace(
        one,
        scales=np.where(better, one.scales, other.scales),
        zero_points=np.where(better, one.zero_points, other.zero_points),
    )


def _least(error: Error, channels: int) -> Values:
    """Return the octaves with the least error, (2, channels), by coordinate descent."""
    best = np.zeros((2, channels))
    least = error(best)
    for candidates in _ROUNDS:
        start = best.copy()
        for octaves in candidates(start):
            found = error(octaves)
            better = found < least
            best[:, better], least[better] = octaves[:, better], found[better]
    return best


def _placed(start: Values, *, ends: list[int]) -> Iterator[Values]:
    """Yield the ends at every octave of the grid."""
    for octave in _GRID:
        tried = start.copy()
        tried[ends] = octave
        yield tried


def _moved(start: Values, *, end: int, step: float) -> Iterator[Values]:
    """Yield one end a few steps off."""
    for count in (-2, -1, 1, 2):
        tried = start.copy()
        tried[end] = np.clip(tried[end] + count * step, _GRID[0], _GRID[-1])
        yield tried


#: one after another, each from the best of the one before
_ROUNDS = (
    *(partial(_placed, ends=ends) for ends in ([0, 1], [1], [0])),
    *(partial(_moved, end=end, step=step) for step in _STEPS for end in (0, 1)),
)


def _error_of(
    sketch: Sketch, part: slice, *, bounds: tuple[Values, Values], bit_width: int
) -> Error:
    low, high = (bound[part] for bound in bounds)
    values = sketch.values[part]
    exact = sketch.counts.shape != sketch.values.shape
    counts = None if exact else sketch.counts[part]

    def error(octaves: Values) -> Values:
        drawn_in = spread(low * 2.0 ** -octaves[0], high * 2.0 ** -octaves[1], bit_width=bit_width)
        return _squared_error(values, drawn_in, counts=counts)

    return error


def _error_on(values: Singles, parameters: PerChannelAffine) -> Values:
    """Return the squared error of each channel of the weight itself, (channels,)."""
    return np.concatenate(
        [
            _squared_error(
                values[part],
                replace(
                    parameters,
                    scales=parameters.scales[part],
                    zero_points=parameters.zero_points[part],
                ),
            )
            for part in parts(values)
        ]
    )


def _squared_error(
    values: Singles, parameters: PerChannelAffine, *, counts: Singles | None = None
) -> Values:
    """Return Σ counts · (values - stored)² of each channel, in float32 and in place for speed."""
    scales = parameters.scales[:, None].astype(np.float32)
    zeros = parameters.zero_points[:, None].astype(np.float32)
    stored = values * (1 / scales)
    np.rint(stored, out=stored)
    stored += zeros
    np.clip(stored, parameters.quant_min, parameters.quant_max, out=stored)
    stored -= zeros
    stored *= scales
    stored -= values
    stored *= stored
    if counts is not None:
        stored *= counts
    total: Values = stored.sum(axis=1, dtype=np.float64)
    return total
