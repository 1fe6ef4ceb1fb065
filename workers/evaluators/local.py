"""Evaluates allocations in this process, on one device, round by round."""

from collections.abc import Iterator

from search.allocation import BitAllocation
from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import Options
from search.trial import Hits
from workers.data import Split
from workers.evaluators.rounds import Rounds
from workers.memory import Room


class LocalEvaluator:
    """An `Evaluator` that carries out a round when it is asked for."""

    def __init__(  # noqa: PLR0913 - what is evaluated, on what, and how much of it at once
        self,
        network: CapturedNetwork,
        split: Split,
        *,
        options: Options,
        batch: int,
        top: int = 1,
        room: Room | None = None,
    ) -> None:
        """Take a pass of the float model over the split; otherwise as `Rounds`."""
        self._options = options
        self._images = len(split)
        self._rounds = Rounds(network, split, batch=batch, top=top, room=room or Room(batch))
        self._correct = sum(map(self._rounds.correct, range(len(self._rounds))))

    @property
    def images(self) -> int:
        """How many images the split has."""
        return self._images

    @property
    def float_correct(self) -> int:
        """How many of them the float model has right."""
        return self._correct

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the hits of one round after another; what is not asked for is not evaluated."""
        operators = self._options.operators(allocation)
        for number in range(len(self._rounds)):
            yield self._rounds.hits(number, operators)
