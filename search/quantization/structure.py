"""How the points of a network hang together: joins, lifetimes, and the work of its layers."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch import fx

from search.allocation import QuantizationPoint
from search.cost import Operator
from search.quantization import graph
from search.quantization.operators import CONCATENATIONS
from search.quantization.operators import ELEMENTWISE
from search.quantization.operators import LAYERS
from search.quantization.operators import MATRIX_PRODUCTS
from search.quantization.places import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A convolution or linear layer."""

    #: of the point it produces
    point: str
    #: name of its weight's point; None: it is computed from the images
    weight: str | None
    #: values of its weight
    weights: int
    #: output channels, each of which may have a scale of its own
    channels: int
    #: a matrix product, not a convolution
    linear: bool
    #: points whose values it reads, empty if it reads the images or what is made on the way
    reads: frozenset[str]

    @property
    def macs_per_value(self) -> int:
        """Multiply-accumulates for one value of its output.

        Of a convolution the kernel's volume × input channels / groups, of a linear layer its
        inputs: in either case the values of the weight that one output channel has.
        """
        return self.weights // self.channels


@dataclass(frozen=True, slots=True)
class Structure:
    """What the cost of an allocation depends on beside the sizes of its points."""

    layers: tuple[Layer, ...]
    #: points that meet in one addition or concatenation, two or more each
    joins: tuple[frozenset[str], ...]
    #: whenever a point is stored, the points that are in use, itself included
    alive: tuple[frozenset[str], ...]

    def operators(self, points: Sequence[QuantizationPoint]) -> tuple[Operator, ...]:
        """Return what each layer computes; `points` have the sizes of what the layers produce.

        Multiply-accumulates are per image: values of the output × those for one of them.
        """
        elements = {point.name: point.elements for point in points}
        return tuple(
            Operator(
                macs=elements[layer.point] * layer.macs_per_value,
                reads=layer.reads,
                weight=layer.weight,
            )
            for layer in self.layers
        )


def read(module: fx.GraphModule, layout: Layout, *, weights: Mapping[str, str]) -> Structure:
    """Return the structure of a graph; call it before the places are marked.

    `weights` has the name of the weight that each layer reads, by the layer's point.
    """
    nodes = list(module.graph.nodes)
    return Structure(
        tuple(_layers(module, layout, weights=weights)),
        tuple(_joins(nodes, layout)),
        _alive(nodes, layout),
    )


def _layers(
    module: fx.GraphModule, layout: Layout, *, weights: Mapping[str, str]
) -> Iterator[Layer]:
    for place in layout.places:
        if place.producer.target in LAYERS:
            read_from, weight = place.producer.args[:2]
            value = _parameter(module, weight)
            reads = layout.holds.get(read_from) if isinstance(read_from, fx.Node) else None
            yield Layer(
                point=place.name,
                weight=weights.get(place.name),
                weights=value.numel(),
                channels=value.shape[0],
                linear=place.producer.target in MATRIX_PRODUCTS,
                reads=reads or frozenset(),
            )


def _parameter(module: fx.GraphModule, node: object) -> Tensor:
    assert isinstance(node, fx.Node)  # noqa: S101  # a layer's weight is an attribute
    if node.op == "get_attr":
        return graph.attribute(module, node)
    result: Tensor = node.meta["val"]
    return result


def _joins(nodes: list[fx.Node], layout: Layout) -> Iterator[frozenset[str]]:
    for node in nodes:
        if node.target in CONCATENATIONS or node.target in ELEMENTWISE:
            parts = [layout.holds.get(source, frozenset()) for source in node.all_input_nodes]
            met = frozenset().union(*parts)
            if len([part for part in parts if part]) > 1 and len(met) > 1:
                yield met


def _alive(nodes: list[fx.Node], layout: Layout) -> tuple[frozenset[str], ...]:
    """Return the sets in the order of the graph, which is the order of the computation."""
    order = {node: index for index, node in enumerate(nodes)}
    born = {place.name: order[place.stored] for place in layout.places}
    last_read = dict(born)
    for node, points in layout.holds.items():
        for reader in node.users:
            for point in points:
                last_read[point] = max(last_read[point], order[_finished(reader, layout)])
    return tuple(
        frozenset(name for name in born if born[name] <= step <= last_read[name])
        for step in born.values()
    )


def _finished(reader: fx.Node, layout: Layout) -> fx.Node:
    """Return the node at which the reader's own result is stored: until then it needs its input."""
    seen = reader
    while seen not in layout.holds and len(seen.users) == 1 and seen.op == "call_function":
        seen = next(iter(seen.users))
    return seen
