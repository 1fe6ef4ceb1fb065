"""The rounds that a split is evaluated in: fixed sets of images, each put through on its own."""

from collections.abc import Mapping

import torch
from torch import Tensor

from search.quantization.capture import CapturedNetwork
from search.quantization.fake_quantize import Operator
from search.trial import Hits
from workers.data import Split
from workers.memory import Room

FIRST_ROUND = 16  # images: enough to reject what is hopeless


def sizes(images: int, batch: int) -> list[int]:
    """Return how many images each of the rounds has that so many are evaluated in.

    The first is small and each next as large as all before, up to `batch`: what is hopeless costs
    little, and what is not soon fills the device.
    """
    found: list[int] = []
    seen = 0
    while seen < images:
        found.append(min(max(seen, FIRST_ROUND), batch, images - seen))
        seen += found[-1]
    return found


class Rounds:
    """The rounds of one split on one network; what a round comes to depends on nothing else."""

    def __init__(
        self, network: CapturedNetwork, split: Split, *, batch: int, top: int, room: Room
    ) -> None:
        """An image is a hit if its label is among the `top` largest logits.

        `room` knows how many images fit into memory at once, which changes no count, and may
        interrupt.
        """
        self._network = network
        self._split = split
        self._top = top
        self._room = room
        self._sizes = sizes(len(split), batch)
        self._ends = torch.tensor(self._sizes, dtype=torch.int64).cumsum(0).tolist()
        #: of the float model, by round, as far as they were needed
        self._float_hits: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self._sizes)

    def images(self, number: int) -> Split:
        """Return the images of the round."""
        end = self._ends[number]
        return self._split.part(end - self._sizes[number], end)

    def correct(self, number: int) -> int:
        """Return how many images of the round the float model has right."""
        return int(self._of_float(number).sum())

    def hits(self, number: int, operators: Mapping[str, Operator]) -> Hits:
        """Return the hits of the network with these operators over the round."""
        float_hits = self._of_float(number)
        hits = self._hits(number, operators)
        # one transfer from the device for all three counts
        correct, lost, gained = torch.stack(
            [hits.sum(), (float_hits & ~hits).sum(), (hits & ~float_hits).sum()]
        ).tolist()
        return Hits(images=len(hits), correct=correct, lost=lost, gained=gained)

    def _of_float(self, number: int) -> Tensor:
        if number not in self._float_hits:
            self._float_hits[number] = self._hits(number, {})
        return self._float_hits[number]

    @torch.inference_mode()
    def _hits(self, number: int, operators: Mapping[str, Operator]) -> Tensor:
        """Return which images are right, shape (n,), bool."""
        # loaded for every round, since other rounds may share the network
        self._network.load(operators)
        ((images, labels),) = self.images(number).batches(self._sizes[number])
        logits = self._room.put_through(self._network, images)
        if self._top == 1:
            return logits.argmax(dim=1) == labels
        return (logits.topk(self._top, dim=1).indices == labels[:, None]).any(dim=1)
