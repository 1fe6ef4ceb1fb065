"""Evaluates allocations on several shards: every broadcast has each of them do one round more."""

from collections.abc import Iterator

from search.allocation import BitAllocation
from search.quantization.fitted import FittedOptions
from search.trial import Hits
from workers.evaluators import rounds
from workers.shards.shards import Shards
from workers.shards.shards import parts


class ShardedEvaluator:
    """An `Evaluator` whose rounds are those of a local one, carried out as many at a time.

    Rounds are yielded in order. Those after the one that a trial ends with have been carried out
    for nothing, by shards that would have had nothing to do.
    """

    def __init__(
        self, shards: Shards, split: str, *, images: int, batch: int, options: FittedOptions
    ) -> None:
        """Take a pass of the float model over the split of that name, of so many images."""
        self._shards = shards
        self._split = split
        self._images = images
        self._rounds = range(len(rounds.sizes(images, batch)))
        self._options = options
        self._correct: int = sum(parts(shards, "correct", numbers=self._rounds, split=split))

    @property
    def images(self) -> int:
        """How many images the split has."""
        return self._images

    @property
    def float_correct(self) -> int:
        """How many of them the float model has right."""
        return self._correct

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the hits of one round after another, a broadcast for as many as there are shards.

        The allocation is sent with what its options were fitted to, so that no shard has to.
        """
        known = self._shards.put(self._options.known(allocation.items()))
        count = self._shards.count
        for start in range(0, len(self._rounds), count):
            yield from parts(
                self._shards,
                "hits",
                numbers=self._rounds[start : start + count],
                split=self._split,
                allocation=allocation,
                known=known,
            )
