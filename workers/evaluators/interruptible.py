"""An evaluator, or any other series of batches, that can be stopped between two of them."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TypeVar

from search.allocation import BitAllocation
from search.trial import Evaluate
from search.trial import Hits

Batch = TypeVar("Batch")


def interruptible(evaluate: Evaluate, check: Callable[[], None]) -> Evaluate:
    """Return the evaluator with a check after every round; what `check` raises ends the trial."""

    def rounds(allocation: BitAllocation) -> Iterator[Hits]:
        for hits in evaluate(allocation):
            check()
            yield hits

    return rounds


def checked(batches: Iterable[Batch], check: Callable[[], None]) -> Iterator[Batch]:
    """Yield the batches, with a check before each; what `check` raises ends them."""
    for batch in batches:
        check()
        yield batch
