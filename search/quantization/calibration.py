"""Calibration: two passes over a few images, after which every option is fitted offline.

Weights need no image: they are what they are.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from functools import partial
from math import isfinite

import torch
from torch import Tensor

from search.allocation import Kind
from search.errors import NonFiniteActivations
from search.quantization.capture import CapturedNetwork
from search.quantization.channels import Channels
from search.quantization.channels import Singles
from search.quantization.histogram import Histogram
from search.quantization.observer import Counts
from search.quantization.observer import Range
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
    histograms: dict[str, Histogram] = {}
    if Kind.ACTIVATION in kinds:
        histograms |= _of_activations(network, batches)
    wanted = {point.name for point in network.all_points(kinds)}
    weights = [weight for weight in network.weights if weight.point.name in wanted]
    histograms |= {weight.point.name: _of_weight(weight) for weight in weights}
    channels = {weight.point.name: Channels(partial(_by_channel, weight)) for weight in weights}
    return Calibration(histograms, bit_widths, weights=channels)


def _of_activations(
    network: CapturedNetwork, batches: Callable[[], Iterable[Tensor]]
) -> dict[str, Histogram]:
    ranges = {point.name: Range() for point in network.points}
    _observe(network, batches(), notes=ranges)
    counts = {name: _counts(name, seen) for name, seen in ranges.items()}
    _observe(network, batches(), notes=counts)
    return {name: seen.histogram() for name, seen in counts.items()}


def _of_weight(weight: Weight) -> Histogram:
    seen = Range()
    seen.take(weight.tensor)
    counts = _counts(weight.point.name, seen)
    counts.take(weight.tensor)
    return counts.histogram()


def _counts(point: str, seen: Range) -> Counts:
    low, high = seen.bounds()
    if not (isfinite(low) and isfinite(high)):
        raise NonFiniteActivations(point)
    return Counts(low, high)


def _by_channel(weight: Weight) -> Singles:
    values: Singles = weight.tensor.float().flatten(1).cpu().numpy()
    return values


@torch.inference_mode()
def _observe(
    network: CapturedNetwork,
    batches: Iterable[Tensor],
    *,
    notes: dict[str, Range] | dict[str, Counts],
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
