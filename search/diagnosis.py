"""Why nothing held the floor: the closest allocation, and the points that cost it most."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from search.allocation import BitAllocation
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict


@dataclass(frozen=True, slots=True)
class Blame:
    """What one point costs."""

    point: str
    #: accuracy regained when this point alone goes back to float32; may be negative
    recovered: float
    #: images evaluated to find out
    images: int


def closest(trials: Sequence[TrialResult]) -> TrialResult:
    """Return the trial that misses the floor by least; of equals the one with fewer bits.

    None that was stopped because another dominates it: that one is at least as accurate. None that
    an earlier search left undecided: it is told from too few images.
    """
    judged = (Verdict.HELD, Verdict.MISSED)
    seen = [trial for trial in trials if trial.verdict in judged]
    return min(seen, key=lambda t: (t.constraint, t.memory_bits, t.number))


def full_hits(evaluate: Evaluate, allocation: BitAllocation) -> Hits:
    """Return the hits over the whole split."""
    return sum(evaluate(allocation), Hits())


def blame(evaluate: Evaluate, allocation: BitAllocation, *, over: Hits) -> Iterator[Blame]:
    """Yield, point by point, what its return to float32 recovers over the hits with it."""
    for point in allocation.points():
        restored = full_hits(evaluate, allocation.without(point))
        yield Blame(point, restored.accuracy - over.accuracy, restored.images)
