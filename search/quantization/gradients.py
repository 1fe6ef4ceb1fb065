"""Sums the squared gradients of images' margins, for sensitivities to be worked out from.

They are summed per histogram bin of the activation they are taken at: since an option's error is a
function of the bin, Σ (g·e)² is then a product of two short vectors, for all options of a point at
once. The errors of a weight are the same for all images; there they are summed value by value.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from search.quantization.capture import CapturedNetwork
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Calibration
from search.sensitivity import Reals

#: images put through at once: a draw of signs is spent on each
BATCH = 16
#: batches to a part; a part of more is less to send, of fewer lets more have a share in the work
PART = 4
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


@dataclass(frozen=True, eq=False)
class Part:
    """What the passes over some of the images come to; of all images, parts are added in order."""

    #: (images,) of the float model, logits
    margins: Reals
    #: point -> the squared gradient summed over images: of an activation by bin, shape (bins,)
    #: float64; of a weight by value, in its shape
    squares: Mapping[str, Tensor]


def part(  # noqa: PLR0913 - as `measure`
    network: CapturedNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    calibration: Calibration,
    points: Collection[str],
    number: int,
    top: int,
    at_once: int = BATCH,
) -> Part:
    """Return what the passes over at most PART batches come to, the part of this number.

    It depends on the number and on these images alone, so that it is the same whoever makes it.
    """
    activations = {
        point: _Activation(calibration.histogram(point))
        for point in points
        if point in network.observers
    }
    weights = {
        weight.point.name: _Weight(weight.tensor)
        for weight in network.weights
        if weight.point.name in points
    }
    with _noting(network, activations=activations, weights=weights):
        noted: list[_Activation | _Weight] = [*activations.values(), *weights.values()]
        signs = torch.Generator().manual_seed(number)
        found = _passes(network, batches, noted=noted, top=top, at_once=at_once, signs=signs)
    squares = {point: note.squares for point, note in (activations | weights).items()}
    return Part(margins=found, squares=squares)


def _passes(  # noqa: PLR0913 - as `measure`
    network: CapturedNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    noted: Sequence["_Activation | _Weight"],
    top: int,
    at_once: int,
    signs: torch.Generator,
) -> Reals:
    """Run the passes, let the points take note of each, and return the margins."""
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

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self.squares = torch.zeros(len(histogram.counts), dtype=torch.float64)
        self._values = self._gradient = torch.empty(0)

    def take(self, x: Tensor) -> None:
        """Note the tensor; its gradient follows in the backward pass."""
        self._values = x.detach()
        x.register_hook(self._keep)  # type: ignore[no-untyped-call]  # torch's own

    def _keep(self, gradient: Tensor) -> None:
        self._gradient = gradient.detach()

    def add(self) -> None:
        """Add the images of the last pass."""
        bins = len(self.squares)
        cells = self._values.flatten().sub(self._histogram.low).div_(self._histogram.width)
        index = cells.to(torch.int64).clamp_(0, bins - 1)
        squares = self._gradient.flatten().double().square()
        self.squares += torch.bincount(index, weights=squares, minlength=bins).cpu()


class _Weight:
    """Sums the squared gradient of a weight over images, value by value."""

    def __init__(self, tensor: Tensor) -> None:
        self.leaf = tensor.detach().clone().requires_grad_(True)  # noqa: FBT003  # torch's signature
        self.squares = torch.zeros_like(tensor, requires_grad=False)

    def stand_in(self, x: Tensor) -> Tensor:  # noqa: ARG002  # an operator's signature
        """Return the same values, where a gradient is kept."""
        return self.leaf

    def add(self) -> None:
        """Add the images of the last pass."""
        assert self.leaf.grad is not None  # noqa: S101  # the pass has just filled it
        self.squares += self.leaf.grad.square()
        self.leaf.grad = None
