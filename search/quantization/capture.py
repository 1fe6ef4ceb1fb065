"""A network as a graph with its quantization points marked, batch-norm folded, outputs unchanged.

`torch.export` records the operators; a point is put where a fused runtime would store a tensor:
after each convolution or linear layer with its folded batch-norm and its activation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import fx
from torch import nn
from torch.export import Dim

from search.allocation import QuantizationPoint
from search.errors import UnsupportedNetwork
from search.quantization import fold
from search.quantization import graph
from search.quantization.fake_quantize import FakeQuantize
from search.quantization.fake_quantize import Operator
from search.quantization.observer import Observer


@dataclass(frozen=True, eq=False)
class CapturedNetwork:
    """A network whose points can be observed and quantized; without either it is the original."""

    module: fx.GraphModule
    #: in network order
    points: tuple[QuantizationPoint, ...]
    #: sees a point's tensor as it is stored
    observers: Mapping[str, Observer]
    #: rounds a point's tensor
    quantizers: Mapping[str, FakeQuantize]

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits, shape (images, classes)."""
        logits: Tensor = self.module(images)
        return logits

    def load(self, operators: Mapping[str, Operator]) -> None:
        """Quantize the named points from now on and leave the others in float, in-place."""
        for name, place in self.quantizers.items():
            place.operator = operators.get(name)


def capture(model: nn.Module, example: Tensor) -> CapturedNetwork:
    """Return the captured network, in eval mode on the model's device.

    `example` has shape (at least 2, ...): one batch as the model takes it. The weights are shared
    with the model except where a batch-norm is folded into them. Raises UnsupportedNetwork when the
    graph depends on the data or the batch size, or has no point to quantize.
    """
    module = _export(model.eval(), example)
    graph.drop_identities(module)
    graph.make_functional(module)
    fold.fold_batch_norms(module)
    marked = [_mark(module, place) for place in graph.find_places(module)]
    if not marked:
        raise UnsupportedNetwork("the graph", "it has no convolution or linear layer to quantize")
    module.graph.eliminate_dead_code()
    module.graph.lint()
    module.recompile()
    return CapturedNetwork(
        module,
        tuple(point for point, _, _ in marked),
        {point.name: observer for point, observer, _ in marked},
        {point.name: quantizer for point, _, quantizer in marked},
    )


def _export(model: nn.Module, example: Tensor) -> fx.GraphModule:
    dynamic = {0: Dim("batch", min=1)}
    try:
        program = torch.export.export(model, (example,), dynamic_shapes=(dynamic,))
    except Exception as error:  # export raises many kinds; all mean the same here
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise UnsupportedNetwork(type(model).__name__, first_line) from error
    captured = program.module(check_guards=False)
    if not isinstance(captured, fx.GraphModule):  # pragma: no cover  # documented return type
        raise UnsupportedNetwork(type(model).__name__, "torch.export returned no graph")
    return captured


def _mark(
    module: fx.GraphModule, place: graph.Place
) -> tuple[QuantizationPoint, Observer, FakeQuantize]:
    """Insert an observer at the stored tensor and a quantizer where it costs least, in-place."""
    observer, quantizer = Observer(), FakeQuantize()
    key = place.name.replace(".", "_")
    observed = _insert_after(module, place.stored, name=f"observe_{key}", inserted=observer)
    last = observed if place.rounded is place.stored else place.rounded
    _insert_after(module, last, name=f"quantize_{key}", inserted=quantizer)
    return QuantizationPoint(place.name, graph.elements(place.stored)), observer, quantizer


def _insert_after(
    module: fx.GraphModule, node: fx.Node, *, name: str, inserted: nn.Module
) -> fx.Node:
    """Let all readers of `node` read the inserted module's output instead, in-place."""
    module.add_submodule(name, inserted)
    with module.graph.inserting_after(node):
        call = module.graph.call_module(name, (node,))
    call.meta = dict(node.meta)
    node.replace_all_uses_with(call, delete_user_cb=lambda user: user is not call)
    return call
