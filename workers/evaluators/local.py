"""Evaluates allocations in this process, on one device, over images that are already there."""

from collections.abc import Iterator

import torch
from torch import Tensor

from search.allocation import BitAllocation
from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import FittedOptions
from search.trial import Hits
from workers.data import Split


class LocalEvaluator:
    """A `search.trial.Evaluate` over one split, paired with the float model's own hits."""

    def __init__(
        self, network: CapturedNetwork, split: Split, *, options: FittedOptions, batch: int
    ) -> None:
        self._network = network
        self._options = options
        self._images = torch.split(split.images, batch)
        self._labels = torch.split(split.labels, batch)
        self._float_hits = self._float_pass()

    @property
    def images(self) -> int:
        """How many images the split has."""
        return sum(len(hits) for hits in self._float_hits)

    @property
    def float_correct(self) -> int:
        """How many of them the float model has right."""
        return sum(int(hits.sum()) for hits in self._float_hits)

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield the hits of one batch after another; what is not asked for is not evaluated."""
        operators = self._options.operators(allocation)
        for images, labels, float_hits in zip(
            self._images, self._labels, self._float_hits, strict=True
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
        return [
            self._hits(images, labels)
            for images, labels in zip(self._images, self._labels, strict=True)
        ]

    @torch.inference_mode()
    def _hits(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return which images are right (top-1), shape (n,), bool."""
        return self._network(images).argmax(dim=1) == labels
