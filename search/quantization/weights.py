"""The weights of a network's layers: constants, each found once however many layers read it.

A weight that the graph computes from parameters alone, as weight normalization does, is the same
for all images: it is computed once, as a runtime would. One that depends on the images is stored
nowhere before they are seen, so it has no point.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch import fx

from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.quantization import graph
from search.quantization.fake_quantize import FakeQuantizeConstant
from search.quantization.operators import LAYERS
from search.quantization.places import Layout


@dataclass(frozen=True, eq=False)
class Weight:
    """A constant tensor that convolutions or linear layers multiply with."""

    #: elements are all its values
    point: QuantizationPoint
    #: (channels, ...): what each output channel is made with comes first
    tensor: Tensor
    #: what stands for it in the graph, in order
    nodes: tuple[fx.Node, ...]
    #: points of the layers that read it
    layers: frozenset[str]


def make_constant(module: fx.GraphModule) -> None:
    """Compute every weight that depends on parameters alone, in-place on the graph."""
    fixed: set[fx.Node] = set()
    for node in list(module.graph.nodes):
        if node.op == "get_attr" or (
            node.op == "call_function" and fixed.issuperset(node.all_input_nodes)
        ):
            fixed.add(node)
        if node.target in LAYERS and (weight := node.args[1]) in fixed:
            _make_attribute(module, weight)


def _make_attribute(module: fx.GraphModule, node: fx.Node) -> None:
    if node.op == "get_attr":
        return
    # a copy: the computation may end in a view of a parameter
    value = _computed(module, node).detach().clone()
    name = f"constant_{node.name}"
    module.register_buffer(name, value)
    with module.graph.inserting_before(node):
        node.replace_all_uses_with(module.graph.get_attr(name))


def _computed(module: fx.GraphModule, node: fx.Node) -> Any:
    """Return what the node gives; it depends on attributes of the module alone."""
    if node.op == "get_attr":
        return graph.attribute(module, node)
    assert callable(node.target)  # noqa: S101  # that of a call_function is
    arguments = fx.map_arg(node.args, lambda source: _computed(module, source))
    options = fx.map_arg(node.kwargs, lambda source: _computed(module, source))
    return node.target(*arguments, **options)


def find(module: fx.GraphModule, layout: Layout) -> tuple[Weight, ...]:
    """Return the weights in the order in which they are first used; one that is shared comes once.

    Each is named after the first layer that reads it.
    """
    standing: dict[object, list[fx.Node]] = {}
    for node in module.graph.find_nodes(op="get_attr"):
        standing.setdefault(_identity(graph.attribute(module, node)), []).append(node)
    readers: dict[object, list[str]] = {}
    for place in layout.places:
        if place.producer.target in LAYERS:
            weight = place.producer.args[1]
            if isinstance(weight, fx.Node) and weight.op == "get_attr":
                identity = _identity(graph.attribute(module, weight))
                readers.setdefault(identity, []).append(place.name)
    return tuple(
        _weight(module, nodes=standing[identity], layers=layers)
        for identity, layers in readers.items()
    )


def _weight(module: fx.GraphModule, *, nodes: list[fx.Node], layers: list[str]) -> Weight:
    tensor = graph.attribute(module, nodes[0]).detach()
    point = QuantizationPoint(f"{layers[0]}.weight", tensor.numel(), Kind.WEIGHT)
    return Weight(point, tensor, tuple(nodes), frozenset(layers))


def _identity(tensor: Tensor) -> object:
    """Return what two tensors have in common exactly if they are the same values in memory."""
    return (tensor.data_ptr(), tensor.shape, tensor.stride())


def names(weights: tuple[Weight, ...]) -> Mapping[str, str]:
    """Return the name of the weight that a layer reads, by the layer's point."""
    return {layer: weight.point.name for weight in weights for layer in weight.layers}


def mark(module: fx.GraphModule, weight: Weight) -> FakeQuantizeConstant:
    """Let everything that reads the weight read it from a quantizer, in-place."""
    quantizer = FakeQuantizeConstant()
    first, *others = weight.nodes
    for other in others:
        other.replace_all_uses_with(first)
    name = graph.submodule_name("quantize", weight.point.name)
    graph.insert_after(module, first, name=name, inserted=quantizer)
    return quantizer
