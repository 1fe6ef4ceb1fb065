"""What one trial found: counts of images, never an estimate without its evidence."""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from search.allocation import BitAllocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Counts over some images, paired with the float model on the same images."""

    #: images looked at
    images: int = 0
    #: the quantized model has right
    correct: int = 0
    #: the float model has right and the quantized one wrong
    lost: int = 0
    #: the float model has wrong and the quantized one right
    gained: int = 0

    def __add__(self, other: "Hits") -> "Hits":
        return Hits(
            images=self.images + other.images,
            correct=self.correct + other.correct,
            lost=self.lost + other.lost,
            gained=self.gained + other.gained,
        )

    @property
    def accuracy(self) -> float:
        """Share of the images that are right; 0 before any image."""
        return self.correct / self.images if self.images else 0.0

    @property
    def drop(self) -> float:
        """Accuracy of the float model less that of the quantized one, on these images."""
        return (self.lost - self.gained) / self.images if self.images else 0.0


#: Evaluates an allocation in rounds over a fixed order of the split's images; the caller stops
#: iterating when it has seen enough, and no further image is evaluated.
Evaluate = Callable[[BitAllocation], Iterable[Hits]]


class Verdict(StrEnum):
    """What a trial came to."""

    HELD = "held"  # the floor, and what a certificate asks beyond it
    MISSED = "missed"  # for certain, or at the stated error rate
    DOMINATED = "dominated"  # stopped: another trial has fewer bits and is more accurate
    UNDECIDED = "undecided"  # an earlier search's: too few of its images were seen for this floor


#: origin of a trial that another search carried out before this one began
EARLIER = "earlier"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One allocation and its verdict."""

    #: position in the search, from 0
    number: int
    allocation: BitAllocation
    #: who proposed it: "uniform", "tpe", "random", …; EARLIER: another search
    origin: str
    #: what the search minimizes: by default summed over all points, per image
    memory_bits: int
    #: over the images evaluated; all of the split's unless the verdict was clear sooner
    hits: Hits
    #: every image of the search split was evaluated
    complete: bool
    #: ≤ 0 is satisfied: the share of the images that must no longer be lost
    constraint: float
    verdict: Verdict

    @property
    def feasible(self) -> bool:
        """At or above the floor, as far as the search split tells."""
        return self.verdict is Verdict.HELD

    @property
    def decided(self) -> bool:
        """Its allocation needs no further trial."""
        return self.verdict is not Verdict.UNDECIDED

    @property
    def earlier(self) -> bool:
        """Taken over from another search."""
        return self.origin == EARLIER

    @property
    def spent(self) -> int:
        """Images that this search evaluated for it."""
        return 0 if self.earlier else self.hits.images
