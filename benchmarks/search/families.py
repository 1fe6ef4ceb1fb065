"""One-parameter families of allocations, walked from the cheapest up: the bars to clear."""

from collections.abc import Iterable
from collections.abc import Iterator

from benchmarks.search.ground import Ground
from search.allocation import BitAllocation
from search.trial import TrialResult

#: allocations that hold, evaluated beyond the first, for certification to fall back on
FALLBACKS = 4


def walked(
    ground: Ground, family: Iterable[BitAllocation], *, origin: str
) -> Iterator[TrialResult]:
    """Yield the trials from the cheapest up until FALLBACKS beyond the first hold.

    That the first holds is the family's answer; no allocation is evaluated twice.
    """
    ordered = sorted(dict.fromkeys(family), key=ground.search.cost)
    held = 0
    for number, allocation in enumerate(ordered):
        trial = ground.evaluated(allocation, number=number, origin=origin)
        yield trial
        held += trial.feasible
        if held > FALLBACKS:
            return
