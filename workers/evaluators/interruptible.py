"""An evaluator that can be stopped between two rounds."""

from collections.abc import Callable
from collections.abc import Iterator

from search.allocation import BitAllocation
from search.trial import Evaluate
from search.trial import Hits


def interruptible(evaluate: Evaluate, check: Callable[[], None]) -> Evaluate:
    """Return the evaluator with a check after every round; what `check` raises ends the trial."""

    def rounds(allocation: BitAllocation) -> Iterator[Hits]:
        for hits in evaluate(allocation):
            check()
            yield hits

    return rounds
