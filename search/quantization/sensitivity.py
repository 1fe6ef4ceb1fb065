"""Measures the energies of all options of all points in one forward and backward pass.

The gradient of every image's margin is collected per histogram bin of the point it is taken at:
since an option's error is a function of the bin, its g·e is then a product of two short vectors,
and all options of a point cost one matrix product.
"""

from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import FittedOptions
from search.quantization.histogram import Histogram
from search.rules import Menu
from search.sensitivity import PASSES
from search.sensitivity import Sensitivity
from search.sensitivity import monotone

#: images put through at once: a histogram per image is held
BATCH = 32


class Gradient:
    """Notes a point's tensor and, on the way back, the gradient there."""

    def __init__(self) -> None:
        self.values: Tensor | None = None
        self.gradient: Tensor | None = None

    def take(self, x: Tensor) -> None:
        """Note the tensor; its gradient follows in the backward pass."""
        self.values = x.detach()
        x.register_hook(self._keep)

    def _keep(self, gradient: Tensor) -> None:
        self.gradient = gradient.detach()

    def binned(self, histogram: Histogram) -> Tensor:
        """Return the gradient summed per image and bin, shape (images, bins)."""
        assert self.values is not None and self.gradient is not None  # noqa: S101, PT018  # both passes were run
        values, gradient = self.values.flatten(1), self.gradient.flatten(1)
        bins = len(histogram.counts)
        cells = values.sub(histogram.low).div_(histogram.width).to(torch.int64).clamp_(0, bins - 1)
        sums = torch.zeros(len(values), bins, dtype=values.dtype, device=values.device)
        return sums.scatter_add_(1, cells, gradient)


def margins(logits: Tensor, labels: Tensor, *, top: int) -> Tensor:
    """Return by how much each image is a hit, shape (images,): at most 0 if it is none.

    `logits` has shape (images, classes), `labels` (images,).
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return own[:, 0] - others.topk(top, dim=1).values[:, -1]


def measure(
    network: CapturedNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    options: FittedOptions,
    menus: Mapping[str, Menu],
    top: int,
) -> Sensitivity:
    """Return the sensitivity over some labelled images on the network's device.

    `menus` has the options of every point that is quantized, in network order.
    """
    network.load({})
    errors = {point: _errors(options, point, menu) for point, menu in menus.items()}
    notes = {point: Gradient() for point in menus}
    sums = {point: torch.zeros(len(menu), dtype=torch.float64) for point, menu in menus.items()}
    found: list[Tensor] = []
    for point, note in notes.items():
        network.observers[point].note = note
    try:
        for images, labels in batches:
            # the inputs' gradients are asked for, since every point's lies on the way there
            leaf = images.detach().clone().requires_grad_(True)  # noqa: FBT003  # torch's signature
            margin = margins(network(leaf), labels, top=top)
            torch.autograd.backward([margin.sum()])
            found.append(margin.detach().cpu())
            for point, note in notes.items():
                gradient = note.binned(options.calibration.histogram(point))
                changes = gradient @ errors[point].to(gradient.device)
                sums[point] += changes.double().square().sum(dim=0).cpu()
    finally:
        for point in notes:
            network.observers[point].note = None
    every = torch.cat(found).double().numpy()
    energies = {
        point: monotone(dict(zip(menu, (sums[point] / len(every)).tolist(), strict=True)))
        for point, menu in menus.items()
    }
    return Sensitivity(energies=energies, margins=every, images=PASSES * len(every))


def _errors(options: FittedOptions, point: str, menu: Menu) -> Tensor:
    """Return what each option adds to the values of each bin, shape (bins, options)."""
    centers = options.calibration.histogram(point).centers
    stored = [options.parameters(point, option).quantize(centers) for option in menu]
    return torch.from_numpy(np.stack(stored, axis=1) - centers[:, None]).float()
