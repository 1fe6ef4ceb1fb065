"""What an allocation costs to store: activation memory per image, in bits."""

from collections.abc import Sequence

from search.allocation import FLOAT_BIT_WIDTH
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint


def memory_bits(points: Sequence[QuantizationPoint], allocation: BitAllocation) -> int:
    """Return Σ elements × bits over the points (Sun & Lin, §IV); float32 where left out."""
    widths = {name: config.bit_width for name, config in allocation.items()}
    return sum(point.elements * widths.get(point.name, FLOAT_BIT_WIDTH) for point in points)


def float_memory_bits(points: Sequence[QuantizationPoint]) -> int:
    """Return what the same points take in float32."""
    return sum(point.elements for point in points) * FLOAT_BIT_WIDTH


def saved(points: Sequence[QuantizationPoint], bits: float) -> float:
    """Return the share of the float32 memory that is no longer needed."""
    return 1 - bits / float_memory_bits(points)


def average_bits(points: Sequence[QuantizationPoint], bits: float) -> float:
    """Return bits per value, weighted by how many values each point stores."""
    values = sum(point.elements for point in points)
    return bits / values
