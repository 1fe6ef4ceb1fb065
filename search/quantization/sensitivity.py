"""Measures the energies of all options of all points in one forward and backward pass.

The squared gradient of every image's margin is summed per histogram bin of the activation it is
taken at: since an option's error is a function of the bin, Σ (g·e)² is then a product of two short
vectors, for all options of a point at once. The errors of a weight are the same for all images;
there the squared gradient is summed value by value.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from search.allocation import BitAllocation
from search.quantization.capture import CapturedNetwork
from search.quantization.fake_quantize import Operator
from search.quantization.fitted import FittedOptions
from search.rules import Menu
from search.sensitivity import PASSES
from search.sensitivity import Reals
from search.sensitivity import Sensitivity
from search.sensitivity import monotone

#: images put through at once: a draw of signs is spent on each
BATCH = 16
LEAST = 1e-6  # of 1/4: what an image counts at least


def margins(logits: Tensor, labels: Tensor, *, top: int) -> Tensor:
    """Return by how much each image is a hit, shape (images,): at most 0 if it is none.

    `logits` has shape (images, classes), `labels` (images,).
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return own[:, 0] - others.topk(top, dim=1).values[:, -1]


def risk(margins: Tensor) -> Tensor:
    """Return how much each image counts: p(1 - p), p = 1 / (1 + exp(-m)), of its margin m.

    That is the curvature of the logistic loss of the margin. An image that is surely right or
    surely wrong stays so, whatever an option does to it; where all are, all count alike.
    """
    return (margins.sigmoid() * (-margins).sigmoid()).clamp_min(LEAST)


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
    activations = {
        point: _Activation(options, point, menu=menu)
        for point, menu in menus.items()
        if point in network.observers
    }
    weights = {
        weight.point.name: _Weight(weight.tensor)
        for weight in network.weights
        if weight.point.name in menus
    }
    with _noting(network, activations=activations, weights=weights):
        noted: list[_Activation | _Weight] = [*activations.values(), *weights.values()]
        found = _passes(network, batches, noted=noted, top=top, at_once=at_once)
    scores = {
        point: activations[point].energies()
        if point in activations
        else weights[point].energies(_operators(options, point, menu=menu))
        for point, menu in menus.items()
    }
    total = float(risk(torch.from_numpy(found)).sum())
    energies = {
        point: monotone(dict(zip(menu, (scores[point] / total).tolist(), strict=True)))
        for point, menu in menus.items()
    }
    return Sensitivity(energies=energies, margins=found, images=PASSES * len(found))


def _passes(
    network: CapturedNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    noted: Sequence["_Activation | _Weight"],
    top: int,
    at_once: int,
) -> Reals:
    """Run the passes, let the points take note of each, and return the margins."""
    signs = torch.Generator().manual_seed(0)
    activations = [point for point in noted if isinstance(point, _Activation)]
    weights = [point for point in noted if isinstance(point, _Weight)]
    kept = [weight.leaf for weight in weights]
    found: list[Tensor] = []
    for images, labels in batches:
        # signs at random: the square of a sum over images is then, on average, the sum of squares
        sign = torch.randint(0, 2, labels.shape, generator=signs).mul_(2).sub_(1)
        parts = zip(*(torch.split(each, at_once) for each in (images, labels, sign)), strict=True)
        for some, of_some, signed in parts:
            # the inputs' gradients are asked for, since every point's lies on the way there
            leaf = some.detach().clone().requires_grad_(True)  # noqa: FBT003  # torch's signature
            margin = margins(network(leaf), of_some, top=top)
            # the squares of these gradients are then weighed by the images' risk
            seed = signed.to(margin) * risk(margin.detach()).sqrt()
            # of these alone: the network's own parameters would keep their gradients afterwards
            torch.autograd.backward([(margin * seed).sum()], inputs=[leaf, *kept])
            found.append(margin.detach().cpu())
            for activation in activations:
                activation.add()
        # the gradients of all parts have been summed up by then
        for weight in weights:
            weight.add()
    every: Reals = torch.cat(found).double().numpy()
    return every


@contextmanager
def _noting(
    network: CapturedNetwork,
    *,
    activations: Mapping[str, "_Activation"],
    weights: Mapping[str, "_Weight"],
) -> Iterator[None]:
    """Let the points take note of tensors and gradients meanwhile."""
    network.load({name: weight.stand_in for name, weight in weights.items()})
    for point, note in activations.items():
        network.observers[point].note = note
    try:
        yield
    finally:
        network.load({})
        for point in activations:
            network.observers[point].note = None


class _Activation:
    """Sums the squared gradient of an activation over images, bin by bin."""

    def __init__(self, options: FittedOptions, point: str, *, menu: Menu) -> None:
        self._histogram = options.calibration.histogram(point)
        centers = self._histogram.centers
        stored = [options.parameters(point, option).quantize(centers) for option in menu]
        #: (bins, options): the square of what each option adds to the values of each bin
        self._errors = np.square(np.stack(stored, axis=1, dtype=np.float64) - centers[:, None])
        self._squares = torch.zeros(len(centers), dtype=torch.float64)
        self._values = self._gradient = torch.empty(0)

    def take(self, x: Tensor) -> None:
        """Note the tensor; its gradient follows in the backward pass."""
        self._values = x.detach()
        x.register_hook(self._keep)  # type: ignore[no-untyped-call]  # torch's own

    def _keep(self, gradient: Tensor) -> None:
        self._gradient = gradient.detach()

    def add(self) -> None:
        """Add the images of the last pass."""
        bins = len(self._squares)
        cells = self._values.flatten().sub(self._histogram.low).div_(self._histogram.width)
        index = cells.to(torch.int64).clamp_(0, bins - 1)
        squares = self._gradient.flatten().double().square()
        self._squares += torch.bincount(index, weights=squares, minlength=bins).cpu()

    def energies(self) -> Tensor:
        """Return the sum over images for every option, float64."""
        return self._squares @ torch.from_numpy(self._errors)


class _Weight:
    """Sums the squared gradient of a weight over images, value by value."""

    def __init__(self, tensor: Tensor) -> None:
        self.leaf = tensor.detach().clone().requires_grad_(True)  # noqa: FBT003  # torch's signature
        self._squares = torch.zeros_like(tensor, requires_grad=False)

    def stand_in(self, x: Tensor) -> Tensor:  # noqa: ARG002  # an operator's signature
        """Return the same values, where a gradient is kept."""
        return self.leaf

    def add(self) -> None:
        """Add the images of the last pass."""
        assert self.leaf.grad is not None  # noqa: S101  # the pass has just filled it
        self._squares += self.leaf.grad.square()
        self.leaf.grad = None

    def energies(self, operators: Iterable[Operator]) -> Tensor:
        """Return the sum over images for every option, float64.

        The errors of a weight's values are taken to be independent of one another.
        """
        weight = self.leaf.detach()
        sums = [(self._squares * (apply(weight) - weight).square()).sum() for apply in operators]
        return torch.stack(sums).double().cpu()


def _operators(options: FittedOptions, point: str, *, menu: Menu) -> Iterator[Operator]:
    for option in menu:
        yield options.operators(BitAllocation.of({point: option}))[point]
