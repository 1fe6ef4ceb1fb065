"""All quantizers: importing this module registers them."""

from search.allocation import QuantizerConfig
from search.quantization import affine  # noqa: F401  # registers
from search.quantization import affine_clipped  # noqa: F401  # registers
from search.quantization import affine_per_channel  # noqa: F401  # registers
from search.quantization import codebook  # noqa: F401  # registers
from search.quantization import fixed_point  # noqa: F401  # registers
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Parameters
from search.quantization.quantizer import get


def fit(calibration: Calibration, point: str, *, config: QuantizerConfig) -> Parameters:
    """Return the parameters of one option of one point."""
    return get(config.quantizer).fit(calibration, point, bit_width=config.bit_width)
