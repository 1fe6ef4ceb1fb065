"""How high the bins of a histogram are drawn: square roots, so that rare values can be seen."""

from collections.abc import Sequence
from math import sqrt


def tallest(counts: Sequence[float]) -> float:
    """Return the square root that is drawn at full height.

    That of the second highest bin: after a ReLU one bin holds all the zeros; it is cut off, or it
    would flatten all others.
    """
    return sqrt(sorted(counts)[-2:][0]) if counts else 0.0


def height(count: float, highest: float) -> float:
    """Return the share of the full height, 1 for whatever is above it."""
    return min(sqrt(count) / highest, 1.0) if highest else 0.0
