"""One-parameter families of allocations, walked from the cheapest up: the bars to clear."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from search.allocation import BitAllocation
from search.spec import SearchSpec
from search.trial import TrialResult

#: once something holds: how much more memory the next one takes at least
GROWTH = 1.08


def walked(
    family: Iterable[BitAllocation],
    *,
    spec: SearchSpec,
    evaluated: Callable[[BitAllocation], TrialResult],
) -> Iterator[TrialResult]:
    """Yield the trials from the cheapest up, each that is evaluated on every image.

    The first that holds is the family's answer. After it only some of the larger ones are looked
    at, up to the largest, so that certification has something safer to fall back on.
    """
    least, held = 0.0, False
    for allocation in sorted(dict.fromkeys(family), key=spec.cost):
        if spec.cost(allocation) < least:
            continue
        trial = evaluated(allocation)
        yield trial
        held = held or trial.feasible
        least = trial.memory_bits * GROWTH if held else 0.0
