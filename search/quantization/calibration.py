"""Calibration: two passes over a few images, after which every option is fitted offline."""

from collections.abc import Callable
from collections.abc import Iterable
from math import isfinite

import torch
from torch import Tensor

from search.errors import NonFiniteActivations
from search.quantization.capture import CapturedNetwork
from search.quantization.histogram import Histogram
from search.quantization.observer import Counts
from search.quantization.observer import Range
from search.quantization.quantizer import Calibration

PASSES = 2  # over the calibration images


def calibrate(
    network: CapturedNetwork,
    batches: Callable[[], Iterable[Tensor]],
    *,
    bit_widths: tuple[int, ...],
) -> Calibration:
    """Return the histograms of all points over the batches.

    `batches` is called once per pass and gives the same images each time, shape (images, ...), on
    the network's device. Raises NonFiniteActivations naming the first point that saw NaN or
    infinity.
    """
    ranges = {point.name: Range() for point in network.points}
    _observe(network, batches(), notes=ranges)
    bounds = {name: seen.bounds() for name, seen in ranges.items()}
    for name, (low, high) in bounds.items():
        if not (isfinite(low) and isfinite(high)):
            raise NonFiniteActivations(name)
    counts = {name: Counts(low, high) for name, (low, high) in bounds.items()}
    _observe(network, batches(), notes=counts)
    histograms: dict[str, Histogram] = {name: seen.histogram() for name, seen in counts.items()}
    return Calibration(histograms, bit_widths)


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
