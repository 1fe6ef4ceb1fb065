"""What an evaluator is: it counts an allocation's hits over one split, round by round."""

from collections.abc import Iterable
from typing import Protocol

from search.allocation import BitAllocation
from search.trial import Hits


class Evaluator(Protocol):
    """A `search.trial.Evaluate` over one split, paired with the float model's own hits.

    The rounds and their counts are the same wherever and by however many they are carried out.
    """

    @property
    def images(self) -> int:
        """How many images the split has."""
        ...

    @property
    def float_correct(self) -> int:
        """How many of them the float model has right."""
        ...

    def __call__(self, allocation: BitAllocation) -> Iterable[Hits]:
        """Yield the hits of one round after another."""
        ...
