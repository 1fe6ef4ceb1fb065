"""How much each option of each point disturbs the loss, to second order, from one backward pass.

As NVIDIA's Model Optimizer scores options in its `auto_quantize` with gradients: the loss changes
by about half of Σ (∂L/∂x)² (Q(x) - x)² over the values x of a point, the square of the gradient
standing for the diagonal of the Hessian (Fisher information).
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.spec import SearchSpec
from workers.workbench import Workbench

#: a backward pass costs twice a forward pass
PASSES = 3

Scores = Mapping[tuple[str, QuantizerConfig], float]


def scores(bench: Workbench, search: SearchSpec) -> Scores:
    """Return the score of every (point, option) over the calibration split, summed over images."""
    menus = dict(zip((point.name for point in search.points), search.menus, strict=True))
    found: dict[tuple[str, QuantizerConfig], float] = {}
    for images, labels in bench.dataset.calibration.batches(bench.batch):
        stored = _gradients(bench, images, labels)
        for point, (values, gradient) in stored.items():
            for option in menus[point]:
                operator = bench.options.operators(BitAllocation.of({point: option}))[point]
                disturbed = (gradient * (operator(values) - values)).square().sum()
                found[point, option] = found.get((point, option), 0.0) + float(disturbed)
    bench.network.load({})
    return found


def _gradients(
    bench: Workbench, images: Tensor, labels: Tensor
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return each point's values and the gradient of the cross entropy there."""
    stored: dict[str, Tensor] = {}

    def keep(name: str, x: Tensor) -> Tensor:
        # a tensor of its own, since several points may store the same
        stored[name] = x = x.clone()
        x.retain_grad()
        return x

    # the network's weights need no gradient; that of the images makes all that follows need one
    with torch.enable_grad():
        bench.network.load(
            {
                point.name: lambda x, name=point.name: keep(name, x)  # type: ignore[misc]  # its default binds the name
                for point in bench.network.points
            }
        )
        logits = bench.network(images.clone().requires_grad_())
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        torch.autograd.backward(loss)
    return {
        name: (x.detach(), torch.zeros_like(x) if x.grad is None else x.grad)
        for name, x in stored.items()
    }
