"""What is measured of a network before the search, by several shards: as `workers.measured` does.

Calibration is exact whoever counts. Squared gradients are added in the order of their parts.
"""

from collections.abc import Collection
from collections.abc import Mapping
from functools import partial
from math import ceil

from torch import Tensor

from search.allocation import Kind
from search.quantization import calibration as calibrations
from search.quantization import sensitivity as sensitivities
from search.quantization.capture import CapturedNetwork
from search.quantization.channels import Channels
from search.quantization.channels import Singles
from search.quantization.fitted import FittedOptions
from search.quantization.gradients import BATCH
from search.quantization.gradients import PART
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.sensitivity import Sensitivity
from workers.menus import bit_widths
from workers.shards.shards import Shards
from workers.shards.shards import first
from workers.shards.shards import parts


def calibration(  # noqa: PLR0913 - what is measured, on how much of it at once
    shards: Shards,
    network: CapturedNetwork,
    *,
    images: int,
    batch: int,
    menus: Mapping[str, Menu],
    kinds: Collection[Kind],
) -> Calibration:
    """Return the calibration for these options over so many images, the calibration split's."""
    activations: dict[str, Histogram] = {}
    if Kind.ACTIVATION in kinds:
        batches = range(ceil(images / batch))
        ranges = calibrations.ranges(network, parts(shards, "extents", numbers=batches))
        counted = parts(shards, "counts", numbers=batches, ranges=shards.put(ranges))
        activations = calibrations.histograms(ranges, counted)
    # the weights are asked of one of them: what was folded into them was rounded on its device
    weights: dict[str, Histogram] = first(shards, "weight_histograms", kinds=kinds)
    channels = {point: Channels(partial(_by_channel, shards, point)) for point in weights}
    return Calibration(activations | weights, bit_widths(menus), weights=channels)


def sensitivity(
    shards: Shards, *, images: int, options: FittedOptions, menus: Mapping[str, Menu]
) -> Sensitivity:
    """Return what every option does to the margins of so many sampled images."""
    weights = options.calibration.weights
    observed = {
        point: histogram
        for point, histogram in options.calibration.histograms.items()
        if point not in weights
    }
    found = parts(
        shards,
        "gradients",
        numbers=range(ceil(images / (PART * BATCH))),
        histograms=shards.put(observed),
        points=tuple(menus),
    )
    weigh = partial(_weigh, shards, options=options, menus=menus)
    return sensitivities.combined(found, options=options, menus=menus, weigh=weigh)


def _weigh(
    shards: Shards,
    squares: Mapping[str, Tensor],
    *,
    options: FittedOptions,
    menus: Mapping[str, Menu],
) -> Mapping[str, Tensor]:
    asked = {point: menus[point] for point in squares}
    known = options.known((point, option) for point, menu in asked.items() for option in menu)
    found: Mapping[str, Tensor] = first(
        shards, "weight_energies", squares=squares, menus=asked, known=known
    )
    return found


def _by_channel(shards: Shards, point: str) -> Singles:
    values: Singles = first(shards, "by_channel", point=point)
    return values
