"""Affine: evenly spaced levels between the smallest and the largest value seen.

Sun & Lin, §III-D ("discrete"); as in PyTorch the range is widened to hold 0 and the zero point is
an integer, so that 0 is stored exactly.
"""

from search.quantization.histogram import Histogram
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import register


def spread(low: float, high: float, *, bit_width: int) -> Affine:
    """Return 2**bit_width evenly spaced levels over [min(low, 0), max(high, 0)]."""
    low, high = min(low, 0.0), max(high, 0.0)
    quant_max = 2**bit_width - 1
    scale = (high - low) / quant_max
    return Affine(
        scale=scale,
        zero_point=min(max(round(-low / scale), 0), quant_max),
        quant_min=0,
        quant_max=quant_max,
    )


@register("affine", summary="evenly spaced levels between min and max, 0 exact", keeps_zero=True)
def fit(calibration: Calibration, point: str, *, bit_width: int) -> Affine:
    """Return the min-max parameters of this point."""
    histogram: Histogram = calibration.histogram(point)
    return spread(histogram.low, histogram.high, bit_width=bit_width)
