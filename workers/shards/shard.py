"""One holder of a network and of some of the images: carries out what parts of the work it is told.

A part has a number, and what it comes to depends on that and on what is sent along alone. So it
does not matter who carries it out, nor whether somebody else did before and was lost.
"""

import hashlib
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from search.allocation import BitAllocation
from search.allocation import Kind
from search.quantization import calibration
from search.quantization import gradients
from search.quantization import sensitivity
from search.quantization.capture import CapturedNetwork
from search.quantization.channels import Singles
from search.quantization.fitted import Known
from search.quantization.fitted import KnownOptions
from search.quantization.gradients import BATCH
from search.quantization.gradients import PART
from search.quantization.gradients import Part
from search.quantization.histogram import Histogram
from search.quantization.observer import BinCounts
from search.quantization.observer import Extent
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.trial import Hits
from workers import content
from workers.data import Dataset
from workers.data import Split
from workers.data import raw_bytes
from workers.evaluators.rounds import Rounds
from workers.memory import Room
from workers.memory import halved_if_short
from workers.sensitivity import sample
from workers.shards.facts import Facts

Numbers = Sequence[int]


class Shard:
    """Works on one device; every public method is an act that can be asked of `Shards`.

    An act that takes numbers returns what each of these parts comes to, in the same order.
    """

    def __init__(
        self, loaded: tuple[CapturedNetwork, Dataset], *, device: torch.device, batch: int, top: int
    ) -> None:
        """`batch` is how many images are put through at once; `top` as for `Rounds`."""
        self._network, self._dataset = loaded
        self.device = device
        self._batch = batch
        self._room = Room(batch)
        self._top = top
        self._options = KnownOptions(device)
        self._rounds: dict[str, Rounds] = {}

    def facts(self) -> Facts:
        """Return what has to be the same everywhere."""
        return Facts.of(content.of_network(self._network), self.device)

    def digests(self, numbers: Numbers, *, split: str) -> list[str]:
        """Return 64 hexadecimal digits of the images and labels of each of these rounds."""
        return [_digest(self._of(split).images(number)) for number in numbers]

    def extents(self, numbers: Numbers) -> list[dict[str, Extent]]:
        """Return the smallest and largest values of activations over these calibration batches."""

        def found(images: Split, at_once: int) -> dict[str, Extent]:
            return calibration.extents(self._network, _of_images(images, at_once))

        return [
            self._room.work(self._batch, partial(found, images))
            for images in self._calibration(numbers)
        ]

    def counts(
        self, numbers: Numbers, *, ranges: Mapping[str, Extent]
    ) -> list[dict[str, BinCounts]]:
        """Return how many values of activations fall into each bin over these batches."""

        def found(images: Split, at_once: int) -> dict[str, BinCounts]:
            return calibration.counts(self._network, _of_images(images, at_once), ranges=ranges)

        return [
            self._room.work(self._batch, partial(found, images))
            for images in self._calibration(numbers)
        ]

    def weight_histograms(self, *, kinds: Collection[Kind]) -> dict[str, Histogram]:
        """Return the histograms of weights, as they are on this device."""
        return calibration.weight_histograms(self._network, kinds)

    def by_channel(self, *, point: str) -> Singles:
        """Return a weight's values, shape (channels, values)."""
        return calibration.by_channel(self._network, point)

    def gradients(
        self, numbers: Numbers, *, histograms: Mapping[str, Histogram], points: Collection[str]
    ) -> list[Part]:
        """Return these parts of the sensitivity; `histograms` are those of activations."""
        images = sample(self._dataset.calibration)
        observed = Calibration(histograms, ())

        def found(number: int, at_once: int) -> Part:
            some = images.part(number * PART * BATCH, (number + 1) * PART * BATCH)
            return gradients.part(
                self._network,
                some.batches(BATCH),
                calibration=observed,
                points=points,
                number=number,
                top=self._top,
                at_once=at_once,
            )

        return [halved_if_short(BATCH, partial(found, number)) for number in numbers]

    def weight_energies(
        self, *, squares: Mapping[str, Tensor], menus: Mapping[str, Menu], known: Sequence[Known]
    ) -> dict[str, Tensor]:
        """Return the energies of weights for the squared gradients of all images."""
        self._options.learn(known)
        return sensitivity.weight_energies(
            self._network, squares, options=self._options, menus=menus
        )

    def correct(self, numbers: Numbers, *, split: str) -> list[int]:
        """Return how many images of each of these rounds the float model has right."""
        return [self._of(split).correct(number) for number in numbers]

    def hits(
        self, numbers: Numbers, *, split: str, allocation: BitAllocation, known: Sequence[Known]
    ) -> list[Hits]:
        """Return the hits of an allocation over each of these rounds."""
        self._options.learn(known)
        operators = self._options.operators(allocation)
        return [self._of(split).hits(number, operators) for number in numbers]

    def _of(self, split: str) -> Rounds:
        if split not in self._rounds:
            self._rounds[split] = Rounds(
                self._network,
                self._dataset.named(split),
                batch=self._batch,
                top=self._top,
                room=self._room,
            )
        return self._rounds[split]

    def _calibration(self, numbers: Numbers) -> Iterator[Split]:
        for number in numbers:
            start = number * self._batch
            yield self._dataset.calibration.part(start, start + self._batch)


def _of_images(split: Split, at_once: int) -> Iterator[Tensor]:
    return (images for images, _ in split.batches(at_once))


def _digest(split: Split) -> str:
    seen = hashlib.sha256(raw_bytes(split.labels[split.index]))
    seen.update(raw_bytes(split.images[split.index]))
    return seen.hexdigest()
