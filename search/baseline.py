"""The float model on one split, the floor that follows from it, and what proves that it is held."""

import math
from dataclasses import dataclass
from fractions import Fraction

from search.errors import ToleranceOutOfRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The float model on one split, and the floor that follows from it."""

    #: images in the split
    images: int
    #: of these, the float model has right
    correct: int
    #: δ
    tolerance: float

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < self.accuracy:
            raise ToleranceOutOfRange(self.tolerance, self.accuracy)

    @property
    def accuracy(self) -> float:
        """X, the float model's accuracy."""
        return self.correct / self.images

    @property
    def floor(self) -> float:
        """X - δ."""
        return self.accuracy - self.tolerance

    @property
    def needed(self) -> int:
        """The fewest correct images at or above the floor, in exact arithmetic."""
        # Fraction(str(δ)): 0.02 means two hundredths, not the nearest binary fraction
        return math.ceil(self.correct - Fraction(str(self.tolerance)) * self.images)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the certified best has to show on images that no search sees."""

    #: in the certification split
    images: int
    #: in (0.5, 1); a search that asks for MEASURED has no certificate
    confidence: float
