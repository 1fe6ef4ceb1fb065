"""Fixed point: the step is a power of two, values saturate at the largest code.

Sun & Lin, §III-B and §III-C: data after a ReLU is not negative, so no sign is stored and the
largest code is 2**b - 1; elsewhere two's complement.
"""

import functools
import math

from search.quantization.histogram import Histogram
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import register

# below the coarsest useful step; each exponent less saturates at half the range
_EXPONENTS_TRIED = 20
_SMALLEST_ERROR = 1e-12  # relative; below it float32 itself rounds


def code(exponent: int, bit_width: int, *, signed: bool) -> Affine:
    """Return the parameters for a step of 2**exponent."""
    half = 2 ** (bit_width - 1)
    return Affine(
        scale=2.0**exponent,
        zero_point=0,
        quant_min=-half if signed else 0,
        quant_max=half - 1 if signed else 2 * half - 1,
    )


@register(
    "fixed_point",
    summary="a power-of-two step per point, saturating; needs only shifts in hardware",
    keeps_zero=True,
)
def fit(calibration: Calibration, point: str, *, bit_width: int) -> Affine:
    """Return the step with the least squared error on this point's histogram."""
    histogram = calibration.histogram(point)
    candidates = [
        code(exponent, bit_width, signed=histogram.signed)
        for exponent in _exponents(_magnitude(histogram), bit_width)
    ]
    return min(candidates, key=lambda c: histogram.error(c.quantize(histogram.centers)))


@register(
    "fixed_point_shared",
    summary="one power-of-two step for all points, saturating (the paper's uniform)",
    keeps_zero=True,
)
def fit_shared(calibration: Calibration, point: str, *, bit_width: int) -> Affine:
    """Return the code of this width on the step that all points share."""
    signed = calibration.histogram(point).signed
    exponent = shared_exponent(calibration.alike(point), calibration.bit_widths)
    return code(exponent, bit_width, signed=signed)


@functools.lru_cache(maxsize=4)  # by identity: one calibration serves a whole search
def shared_exponent(histograms: tuple[Histogram, ...], bit_widths: tuple[int, ...]) -> int:
    """Return the step's exponent with the least geometric mean of the relative errors.

    Taken over all points and bit-widths. Errors are relative to each point's own second moment,
    or the layer with the largest values would decide alone; the mean is geometric, or the fewest
    bits, where every error is large, would.
    """
    largest = max(_magnitude(histogram) for histogram in histograms)
    exponents = _exponents(largest, min(bit_widths))
    return min(exponents, key=lambda e: _log_error(histograms, bit_widths, exponent=e))


def _log_error(
    histograms: tuple[Histogram, ...], bit_widths: tuple[int, ...], *, exponent: int
) -> float:
    total = 0.0
    for histogram in histograms:
        centers = histogram.centers
        power = histogram.error(0 * centers)
        for bit_width in bit_widths:
            quantized = code(exponent, bit_width, signed=histogram.signed).quantize(centers)
            total += math.log(max(histogram.error(quantized) / power, _SMALLEST_ERROR))
    return total


def _magnitude(histogram: Histogram) -> float:
    return max(abs(histogram.low), abs(histogram.high))


def _exponents(magnitude: float, bit_width: int) -> range:
    """Return the exponents worth trying, from the one that just covers the range downwards."""
    coarsest = math.ceil(math.log2(magnitude)) - bit_width + 1
    return range(coarsest, coarsest - _EXPONENTS_TRIED, -1)
