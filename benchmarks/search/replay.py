"""Evaluates each allocation at most once, however many methods, and runs, ask for it."""

import json
from collections.abc import Callable
from collections.abc import Iterator
from itertools import count
from itertools import islice
from pathlib import Path

from search.allocation import BitAllocation
from search.trial import Evaluate
from search.trial import Hits

#: tells allocations apart, also between runs
Name = Callable[[BitAllocation], str]


class Replay:
    """A `search.trial.Evaluate` that repeats the rounds of another and asks only for new ones.

    Rounds come out alike whether they are new or not, so that a method that stops early and one
    that does not see the same images in the same order. What is evaluated is a function of the
    allocation, so each method still counts its images as if it were alone.
    """

    def __init__(self, evaluate: Evaluate, *, images: int, name: Name = repr) -> None:
        self._evaluate = evaluate
        self._images = images
        self._name = name
        self._seen: dict[str, list[Hits]] = {}
        #: rounds to come of what was not evaluated to its end
        self._rest: dict[str, Iterator[Hits]] = {}

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the rounds of the allocation."""
        key = self._name(allocation)
        seen = self._seen.setdefault(key, [])
        for index in count():
            if index == len(seen):
                if sum(hits.images for hits in seen) == self._images:
                    return
                seen.append(self._next(key, allocation))
                if sum(hits.images for hits in seen) == self._images:
                    # a generator that waits for a next call holds its last batch of images
                    del self._rest[key]
            yield seen[index]

    def total(self, allocation: BitAllocation) -> Hits:
        """Return the hits over all images."""
        return sum(self(allocation), Hits())

    def load(self, file: Path) -> None:
        """Take in what an earlier run saved, if there is anything."""
        if file.exists():
            for key, rounds in json.loads(file.read_text()).items():
                self._seen[key] = [
                    Hits(images=i, correct=c, lost=lost, gained=g) for i, c, lost, g in rounds
                ]

    def save(self, file: Path) -> None:
        """Write all rounds down."""
        kept = {
            key: [[h.images, h.correct, h.lost, h.gained] for h in rounds]
            for key, rounds in self._seen.items()
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(kept))

    def _next(self, key: str, allocation: BitAllocation) -> Hits:
        """Evaluate one more round; what was loaded in part is evaluated from its start."""
        if key not in self._rest:
            rounds = iter(self._evaluate(allocation))
            self._rest[key] = islice(rounds, len(self._seen[key]), None)
        return next(self._rest[key])
