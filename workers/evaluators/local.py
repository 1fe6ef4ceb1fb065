"""Evaluates allocations in this process, on one device, batch by batch."""

from collections.abc import Iterator

import torch
from torch import Tensor

from search.allocation import BitAllocation
from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import Options
from search.trial import Hits
from workers.data import Split
from workers.memory import Room

FIRST_ROUND = 16  # images: enough to reject what is hopeless


def rounds(images: int, batch: int) -> list[int]:
    """Return the sizes of the rounds that so many images are evaluated in.

    The first is small and each next as large as all before, up to `batch`: what is hopeless costs
    little, and what is not soon fills the device.
    """
    sizes: list[int] = []
    seen = 0
    while seen < images:
        sizes.append(min(max(seen, FIRST_ROUND), batch, images - seen))
        seen += sizes[-1]
    return sizes


class LocalEvaluator:
    """A `search.trial.Evaluate` over one split, paired with the float model's own hits."""

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
        """An image is a hit if its label is among the `top` largest logits.

        `room` knows how many images fit into memory at once, which changes no count, and may
        interrupt the pass of the float model that this takes.
        """
        self._network = network
        self._options = options
        self._split = split
        self._rounds = rounds(len(split), batch)
        self._top = top
        self._room = room or Room(batch)
        self._float_hits = self._float_pass()

    @property
    def images(self) -> int:
        """How many images the split has."""
        return len(self._split)

    @property
    def float_correct(self) -> int:
        """How many of them the float model has right."""
        return sum(int(hits.sum()) for hits in self._float_hits)

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the hits of one batch after another; what is not asked for is not evaluated."""
        operators = self._options.operators(allocation)
        for (images, labels), float_hits in zip(
            self._split.batches(self._rounds), self._float_hits, strict=True
        ):
            # loaded for every batch, since another evaluator may share the network
            self._network.load(operators)
            hits = self._hits(images, labels)
            # one transfer from the device for all three counts
            correct, lost, gained = torch.stack(
                [hits.sum(), (float_hits & ~hits).sum(), (hits & ~float_hits).sum()]
            ).tolist()
            yield Hits(images=len(labels), correct=correct, lost=lost, gained=gained)

    def _float_pass(self) -> list[Tensor]:
        self._network.load({})
        return [self._hits(images, labels) for images, labels in self._split.batches(self._rounds)]

    @torch.inference_mode()
    def _hits(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return which images are right, shape (n,), bool."""
        logits = self._room.put_through(self._network, images)
        if self._top == 1:
            return logits.argmax(dim=1) == labels
        return (logits.topk(self._top, dim=1).indices == labels[:, None]).any(dim=1)
