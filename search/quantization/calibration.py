"""Calibration: two passes over a few images, after which every option is fitted offline.

Weights need no image: they are what they are. What a pass finds of some of the images can be put
together with what it finds of the others: smallest and largest values, and counts, are exact.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from search.allocation import Kind
from search.errors import NonFiniteActivations
from search.quantization.capture import CapturedNetwork
from search.quantization.channels import Channels
from search.quantization.channels import Singles
from search.quantization.histogram import Histogram
from search.quantization.observer import BinCounts
from search.quantization.observer import Counts
from search.quantization.observer import Extent
from search.quantization.observer import Note
from search.quantization.observer import Range
from search.quantization.observer import bounds
from search.quantization.quantizer import Calibration
from search.quantization.weights import Weight

PASSES = 2  # over the calibration images, if activations are quantized


def calibrate(
    network: CapturedNetwork,
    batches: Callable[[], Iterable[Tensor]],
    *,
    bit_widths: tuple[int, ...],
    kinds: Collection[Kind] = (Kind.ACTIVATION,),
) -> Calibration:
    """Return the histograms of all points of these kinds: activations over the batches, weights.

    `batches` is called once per pass, not at all for weights alone, and gives the same images each
    time, shape (images, ...), on the network's device. Raises NonFiniteActivations naming the first
    point that saw NaN or infinity, UnsupportedNetwork if weights are asked for and a layer has none
    that is stored.
    """
    activations: dict[str, Histogram] = {}
    if Kind.ACTIVATION in kinds:
        found = ranges(network, [extents(network, batches())])
        activations = histograms(found, [counts(network, batches(), ranges=found)])
    weights = weight_histograms(network, kinds)
    channels = {name: Channels(partial(by_channel, network, name)) for name in weights}
    return Calibration(activations | weights, bit_widths, weights=channels)


def extents(network: CapturedNetwork, batches: Iterable[Tensor]) -> dict[str, Extent]:
    """Return the smallest and the largest value that each activation takes over the batches."""
    seen = {point.name: Range() for point in network.points}
    _observe(network, batches, notes=seen)
    return {name: note.extent() for name, note in seen.items()}


def ranges(
    network: CapturedNetwork, parts: Sequence[Mapping[str, Extent]]
) -> dict[str, tuple[float, float]]:
    """Return the range of each activation over all parts that `extents` were taken of.

    Raises NonFiniteActivations naming the first point that saw NaN or infinity.
    """
    return {
        point.name: _finite(point.name, bounds([part[point.name] for part in parts]))
        for point in network.points
    }


def counts(
    network: CapturedNetwork,
    batches: Iterable[Tensor],
    *,
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, BinCounts]:
    """Return how many values of each activation fall into each bin of its range."""
    seen = {name: Counts(low, high) for name, (low, high) in ranges.items()}
    _observe(network, batches, notes=seen)
    return {name: note.counts() for name, note in seen.items()}


def histograms(
    ranges: Mapping[str, tuple[float, float]], parts: Sequence[Mapping[str, BinCounts]]
) -> dict[str, Histogram]:
    """Return each activation's histogram over all parts that `counts` were taken of."""
    return {
        name: Histogram(low, high, np.sum([part[name] for part in parts], axis=0))
        for name, (low, high) in ranges.items()
    }


def weight_histograms(network: CapturedNetwork, kinds: Collection[Kind]) -> dict[str, Histogram]:
    """Return the histogram of every weight; none if weights are not among the kinds.

    Raises NonFiniteActivations, and UnsupportedNetwork if a layer has a weight that is not stored.
    """
    wanted = {point.name for point in network.all_points(kinds)}
    return {
        weight.point.name: _of_weight(weight)
        for weight in network.weights
        if weight.point.name in wanted
    }


def by_channel(network: CapturedNetwork, point: str) -> Singles:
    """Return the weight's values, shape (channels, values)."""
    weight = next(weight for weight in network.weights if weight.point.name == point)
    values: Singles = weight.tensor.float().flatten(1).cpu().numpy()
    return values


def _of_weight(weight: Weight) -> Histogram:
    seen = Range()
    seen.take(weight.tensor)
    counted = Counts(*_finite(weight.point.name, seen.bounds()))
    counted.take(weight.tensor)
    return counted.histogram()


def _finite(point: str, range_: tuple[float, float]) -> tuple[float, float]:
    if not all(map(isfinite, range_)):
        raise NonFiniteActivations(point)
    return range_


@torch.inference_mode()
def _observe(
    network: CapturedNetwork,
    batches: Iterable[Tensor],
    *,
    notes: Mapping[str, Note],
) -> None:
    network.load({})
    for name, note in notes.items():
        network.observers[name].note = note
    try:
        for images in batches:
            network(images)
    finally:
        for observer in network.observers.values():
            observer.note = None
