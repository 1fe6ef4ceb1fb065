"""A network as a graph with its quantization points marked, batch-norm folded, outputs unchanged.

`torch.export` records the operators; a point is put where a fused runtime would store a tensor (see
`places`). What cannot be captured faithfully is refused, never left out.
"""

from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import fx
from torch import nn
from torch.export import Dim
from torch.export import ExportedProgram
from torch.export.passes import move_to_device_pass

from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.errors import UnsupportedNetwork
from search.quantization import fold
from search.quantization import functional
from search.quantization import graph
from search.quantization import places
from search.quantization import structure
from search.quantization import weights
from search.quantization.fake_quantize import FakeQuantize
from search.quantization.fake_quantize import Operator
from search.quantization.observer import Observer
from search.quantization.observer import Size
from search.quantization.places import Place
from search.quantization.shortage import is_shortage
from search.quantization.structure import Structure
from search.quantization.weights import Weight

#: how far the captured float output may lie from the model's, relative to its largest value
TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class CapturedNetwork:
    """A network whose points can be observed and quantized; without either it is the original."""

    module: fx.GraphModule
    #: the activations, in network order
    points: tuple[QuantizationPoint, ...]
    #: sees a point's tensor as it is stored
    observers: Mapping[str, Observer]
    #: rounds a point's tensor, activation or weight
    quantizers: Mapping[str, FakeQuantize]
    #: how the points hang together
    structure: Structure
    #: of all convolutions and linear layers, in network order
    weights: tuple[Weight, ...]

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits, shape (images, classes)."""
        logits: Tensor = self.module(images)
        return logits

    def all_points(self, kinds: Collection[Kind]) -> tuple[QuantizationPoint, ...]:
        """Return the points of these kinds, activations first, each in network order.

        Raises UnsupportedNetwork if weights are asked for and a layer has none that is stored.
        """
        activations = self.points if Kind.ACTIVATION in kinds else ()
        return (*activations, *(self.weight_points() if Kind.WEIGHT in kinds else ()))

    def weight_points(self) -> tuple[QuantizationPoint, ...]:
        """Return the points of all weights; raise UnsupportedNetwork if one is not stored."""
        for layer in self.structure.layers:
            if layer.weight is None:
                why = "its weight is computed from the images, not stored; quantize activations"
                raise UnsupportedNetwork(layer.point, why)
        return tuple(weight.point for weight in self.weights)

    def load(self, operators: Mapping[str, Operator]) -> None:
        """Quantize the named points from now on and leave the others in float, in-place."""
        for name, place in self.quantizers.items():
            place.operator = operators.get(name)


def capture(model: nn.Module | ExportedProgram, example: Tensor) -> CapturedNetwork:
    """Return the captured network, in eval mode on the model's device.

    `example` has shape (at least 2, ...): one batch as the model takes it. The weights are shared
    with the model except where they are computed or a batch-norm is folded into them. Raises
    UnsupportedNetwork when the graph depends on the data or the batch size, does not return one
    tensor, has no point to quantize, or does not compute what the model computes.
    """
    with torch.inference_mode():
        expected = _expected(model, example)
    module = _exported(model, example)
    graph.drop_identities(module)
    functional.make_functional(module)
    weights.make_constant(module)
    fold.fold_batch_norms(module)
    layout = places.find(module)
    if not layout.places:
        raise UnsupportedNetwork("the graph", "it has no convolution or linear layer to quantize")
    found = weights.find(module, layout)
    shape = structure.read(module, layout, weights=weights.names(found))
    marked = {place.name: _mark(module, place) for place in layout.places}
    constants = {weight.point.name: weights.mark(module, weight) for weight in found}
    module.graph.eliminate_dead_code()
    module.graph.lint()
    module.recompile()
    observers = {name: observer for name, (observer, _) in marked.items()}
    points = _measured(module, example, observers=observers, expected=expected)
    quantizers = {name: quantizer for name, (_, quantizer) in marked.items()} | constants
    return CapturedNetwork(module, points, observers, quantizers, shape, found)


def _expected(model: nn.Module | ExportedProgram, example: Tensor) -> Tensor:
    """Return the model's own output; raise UnsupportedNetwork unless it is one tensor."""
    callable_ = (
        model.module(check_guards=False) if isinstance(model, ExportedProgram) else model.eval()
    )
    output = callable_(example)
    if not isinstance(output, Tensor):
        what = type(output).__name__
        raise UnsupportedNetwork("the output", f"it is a {what}; return one tensor of logits")
    return output


def _exported(model: nn.Module | ExportedProgram, example: Tensor) -> fx.GraphModule:
    if isinstance(model, ExportedProgram):
        program = model
    else:
        dynamic = {0: Dim("batch", min=1)}
        try:
            program = torch.export.export(model, (example,), dynamic_shapes=(dynamic,))
        except Exception as error:  # export raises many kinds; all mean the same here
            if is_shortage(error):
                raise
            lines = str(error).strip().splitlines() or [repr(error)]
            raise UnsupportedNetwork(type(model).__name__, lines[0]) from error
    captured = move_to_device_pass(program, example.device).module(check_guards=False)
    assert isinstance(captured, fx.GraphModule)  # noqa: S101  # documented return type
    _require_any_batch(captured)
    return captured


def _require_any_batch(module: fx.GraphModule) -> None:
    for node in module.graph.find_nodes(op="placeholder"):
        value = node.meta.get("val")
        if isinstance(value, Tensor) and value.ndim and isinstance(value.shape[0], int):
            why = f"it takes batches of exactly {value.shape[0]}; export it with a dynamic batch"
            raise UnsupportedNetwork("the program", why)


def _mark(module: fx.GraphModule, place: Place) -> tuple[Observer, FakeQuantize]:
    """Insert an observer at the stored tensor and a quantizer where it costs least, in-place."""
    observer, quantizer = Observer(), FakeQuantize()
    name = graph.submodule_name("observe", place.name)
    observed = graph.insert_after(module, place.stored, name=name, inserted=observer)
    last = observed if place.rounded is place.stored else place.rounded
    name = graph.submodule_name("quantize", place.name)
    graph.insert_after(module, last, name=name, inserted=quantizer)
    return observer, quantizer


@torch.inference_mode()
def _measured(
    module: fx.GraphModule, example: Tensor, *, observers: Mapping[str, Observer], expected: Tensor
) -> tuple[QuantizationPoint, ...]:
    """Return the points with their sizes; raise UnsupportedNetwork if the output has changed."""
    sizes = {name: Size() for name in observers}
    for name, observer in observers.items():
        observer.note = sizes[name]
    try:
        output = module(example)
    except Exception as error:  # whatever a graph raises that was exported for something else
        if is_shortage(error):
            raise
        lines = str(error).strip().splitlines() or [repr(error)]
        raise UnsupportedNetwork("the graph", f"it does not run: {lines[0]}") from error
    finally:
        for observer in observers.values():
            observer.note = None
    largest = max(1.0, float(expected.abs().max()))
    difference = float((output - expected).abs().max()) / largest
    if expected.isfinite().all() and not difference <= TOLERANCE:
        raise UnsupportedNetwork("the graph", f"its output is off by {difference:.2g}, relatively")
    return tuple(
        QuantizationPoint(name, size.values // len(example)) for name, size in sizes.items()
    )
