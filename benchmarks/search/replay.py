"""Evaluates each allocation at most once in a run, however many methods ask for it."""

from collections.abc import Iterator
from itertools import count

from search.allocation import BitAllocation
from search.trial import Evaluate
from search.trial import Hits


class Replay:
    """A `search.trial.Evaluate` that repeats the rounds of another and asks only for new ones.

    Rounds come out alike whether they are new or not, so that a method that stops early and one
    that does not see the same images in the same order. What is evaluated is a function of the
    allocation, so each method still counts its images as if it were alone.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._seen: dict[BitAllocation, list[Hits]] = {}
        #: rounds to come of what was not evaluated to its end
        self._rest: dict[BitAllocation, Iterator[Hits]] = {}

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the rounds of the allocation."""
        if allocation not in self._seen:
            self._seen[allocation] = []
            self._rest[allocation] = iter(self._evaluate(allocation))
        seen = self._seen[allocation]
        for index in count():
            if index == len(seen) and not self._advance(allocation):
                return
            yield seen[index]

    def total(self, allocation: BitAllocation) -> Hits:
        """Return the hits over all images."""
        return sum(self(allocation), Hits())

    @property
    def images(self) -> int:
        """How many images were really put through the network."""
        return sum(hits.images for rounds in self._seen.values() for hits in rounds)

    def _advance(self, allocation: BitAllocation) -> bool:
        """Evaluate one more round; return whether there was one."""
        rest = self._rest.get(allocation)
        hits = None if rest is None else next(rest, None)
        if hits is None:
            self._rest.pop(allocation, None)
            return False
        self._seen[allocation].append(hits)
        return True
