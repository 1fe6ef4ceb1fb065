"""Measures the energies of all options of all points in one forward and backward pass.

An activation's energy is the product of its squared gradients by bin and the squared errors of an
option by bin, a weight's that of both value by value: see `gradients`.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from search.allocation import BitAllocation
from search.quantization.capture import CapturedNetwork
from search.quantization.fake_quantize import Operator
from search.quantization.fitted import FittedOptions
from search.quantization.fitted import Options
from search.quantization.gradients import BATCH
from search.quantization.gradients import PART
from search.quantization.gradients import Part
from search.quantization.gradients import part
from search.quantization.gradients import risk
from search.rules import Menu
from search.sensitivity import PASSES
from search.sensitivity import Reals
from search.sensitivity import Sensitivity
from search.sensitivity import monotone

#: returns energies by point, shape (options,) float64, for squared gradients by weight
Weigh = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


def measure(  # noqa: PLR0913 - what is measured, on what, and how much of it at once
    network: CapturedNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    options: FittedOptions,
    menus: Mapping[str, Menu],
    top: int,
    at_once: int = BATCH,
) -> Sensitivity:
    """Return the sensitivity over some labelled images on the network's device.

    `menus` has the options of every point that is quantized, activations and weights. Of every
    batch, `at_once` images at most are put through together, which changes nothing but rounding.
    """
    found = (
        part(
            network,
            some,
            calibration=options.calibration,
            points=menus,
            number=number,
            top=top,
            at_once=at_once,
        )
        for number, some in enumerate(_grouped(batches, PART))
    )
    weigh = partial(weight_energies, network, options=options, menus=menus)
    return combined(found, options=options, menus=menus, weigh=weigh)


def combined(
    parts: Iterable[Part], *, options: FittedOptions, menus: Mapping[str, Menu], weigh: Weigh
) -> Sensitivity:
    """Return the sensitivity over the images of all parts, which come in order."""
    margins: list[Reals] = []
    squares: dict[str, Tensor] = {}
    for found in parts:
        margins.append(found.margins)
        for point, added in found.squares.items():
            squares[point] = squares[point].add_(added) if point in squares else added.clone()
    every = np.concatenate(margins)
    scores = {
        point: summed @ torch.from_numpy(_errors(options, point, menu=menus[point]))
        for point, summed in squares.items()
        if point not in options.calibration.weights
    }
    of_weights = {p: summed for p, summed in squares.items() if p in options.calibration.weights}
    scores |= weigh(of_weights) if of_weights else {}
    total = float(risk(torch.from_numpy(every)).sum())
    energies = {
        point: monotone(dict(zip(menu, (scores[point] / total).tolist(), strict=True)))
        for point, menu in menus.items()
    }
    return Sensitivity(energies=energies, margins=every, images=PASSES * len(every))


def weight_energies(
    network: CapturedNetwork,
    squares: Mapping[str, Tensor],
    *,
    options: Options,
    menus: Mapping[str, Menu],
) -> dict[str, Tensor]:
    """Return the sum over images for every option of these weights, shape (options,) float64.

    The errors of a weight's values are taken to be independent of one another.
    """
    tensors = {weight.point.name: weight.tensor.detach() for weight in network.weights}
    return {
        point: _weighed(
            tensors[point], summed, operators=_operators(options, point, menu=menus[point])
        )
        for point, summed in squares.items()
    }


def _weighed(weight: Tensor, squares: Tensor, *, operators: Iterable[Operator]) -> Tensor:
    squares = squares.to(weight.device)
    sums = [(squares * (apply(weight) - weight).square()).sum() for apply in operators]
    return torch.stack(sums).double().cpu()


def _errors(options: FittedOptions, point: str, *, menu: Menu) -> Reals:
    """Return the square of what each option adds to the values of each bin, (bins, options)."""
    centers = options.calibration.histogram(point).centers
    stored = [options.parameters(point, option).quantize(centers) for option in menu]
    errors: Reals = np.square(np.stack(stored, axis=1, dtype=np.float64) - centers[:, None])
    return errors


def _grouped(
    batches: Iterable[tuple[Tensor, Tensor]], size: int
) -> Iterator[list[tuple[Tensor, Tensor]]]:
    rest = iter(batches)
    while some := list(islice(rest, size)):
        yield some


def _operators(options: Options, point: str, *, menu: Menu) -> Iterator[Operator]:
    for option in menu:
        yield options.operators(BitAllocation.of({point: option}))[point]
