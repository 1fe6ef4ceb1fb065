"""Where a network stores tensors: the places of its quantization points.

A fused runtime stores the output of a convolution or linear layer once its batch-norm, constants
and activation are applied; the result of an addition or a product of two activations; and the
output of attention, but not its scores. A concatenation stores its inputs side by side: those that
are points already are not quantized again, the others become points. Normalizations that cannot be
folded, scaling by constants and average pooling are computed on the way into the next layer and
stored nowhere.
"""

from dataclasses import dataclass
from dataclasses import field

from torch import fx

from search.quantization import graph
from search.quantization.operators import ACTIVATIONS
from search.quantization.operators import ADDITIONS
from search.quantization.operators import CONCATENATIONS
from search.quantization.operators import ELEMENTWISE
from search.quantization.operators import LAYERS
from search.quantization.operators import MULTIPLICATIONS
from search.quantization.operators import ORDER_PICKING
from search.quantization.operators import PRODUCTS
from search.quantization.operators import SCORING
from search.quantization.operators import SOFTMAXES
from search.quantization.operators import VALUE_KEEPING


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point lies in the graph."""

    #: unique: the module path of the operator, with the operator's name unless it is the layer
    name: str
    #: the operator
    producer: fx.Node
    #: the node whose output is stored
    stored: fx.Node
    #: the node after which rounding gives the same result at the least cost
    rounded: fx.Node


@dataclass(frozen=True, slots=True)
class Layout:
    """All places of a network and what lies between them."""

    places: tuple[Place, ...]
    #: node -> the points whose stored values its output is made of; absent where it is made anew
    holds: dict[fx.Node, frozenset[str]]


def find(module: fx.GraphModule) -> Layout:
    """Return the layout of the graph, places in network order."""
    finder = _Finder(graph.data_nodes(module))
    for node in module.graph.nodes:
        finder.visit(node)
    order = {node: index for index, node in enumerate(module.graph.nodes)}
    places = sorted(finder.places, key=lambda place: order[place.stored])
    return Layout(tuple(places), finder.holds)


@dataclass(slots=True)
class _Finder:
    """Walks the graph once, in order."""

    data: frozenset[fx.Node]
    places: list[Place] = field(default_factory=list)
    holds: dict[fx.Node, frozenset[str]] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)

    def visit(self, node: fx.Node) -> None:
        if node not in self.data or node.op != "call_function" or node in self.holds:
            return
        if node.target in CONCATENATIONS:
            for part in node.all_input_nodes:
                if part in self.data and part not in self.holds:
                    self._add(part, part)
            self._inherit(node)
        elif self._makes_stored_values(node):
            self._add(node, self._fused(node))
        elif node.target in VALUE_KEEPING:
            self._inherit(node)

    def _makes_stored_values(self, node: fx.Node) -> bool:
        if node.target in LAYERS:
            return True
        if node.target in PRODUCTS:
            return not _scores_attention(node)
        operands = [source for source in node.all_input_nodes if source in self.data]
        # a constant added to stored values, such as the embedding of positions, makes new ones
        made = (len(operands) > 1 and node.target in ADDITIONS | MULTIPLICATIONS) or (
            node.target in ADDITIONS and operands[0] in self.holds
        )
        return made and not _scores_attention(node)

    def _fused(self, node: fx.Node) -> fx.Node:
        """Return the last of the operators that are computed before the tensor is stored."""
        last = node
        while (user := graph.sole_user(last)) is not None and user.op == "call_function":
            constant = user.target in ELEMENTWISE and all(
                source is last or source not in self.data for source in user.all_input_nodes
            )
            if user.target not in ACTIVATIONS and not constant:
                break
            last = user
        return last

    def _add(self, producer: fx.Node, stored: fx.Node) -> None:
        name = self._unique(producer)
        picked = graph.sole_user(stored)
        rounded = picked if picked is not None and picked.target in ORDER_PICKING else stored
        self.places.append(Place(name, producer, stored, rounded))
        self.holds[stored] = frozenset({name})

    def _inherit(self, node: fx.Node) -> None:
        """Note the points whose values the node hands on; none if any input is made anew."""
        inputs = [source for source in node.all_input_nodes if source in self.data]
        if all(source in self.holds for source in inputs):
            self.holds[node] = frozenset().union(*(self.holds[source] for source in inputs))

    def _unique(self, node: fx.Node) -> str:
        """Return the name, numbered from its second use on: a module may be called repeatedly."""
        path = graph.module_path(node)
        if node.target not in LAYERS or not path:
            operator = str(getattr(node.target, "__name__", node.name)).partition(".")[0]
            path = f"{path}.{operator}".removeprefix(".")
        self.used[path] = self.used.get(path, 0) + 1
        return path if self.used[path] == 1 else f"{path}@{self.used[path]}"


def _scores_attention(node: fx.Node) -> bool:
    """Return whether the node's output goes into a softmax and nothing else is made of it first."""
    reached, seen = [node], {node}
    while reached:
        for user in reached.pop().users:
            if user.target in SOFTMAXES:
                return True
            if user.target in SCORING and user not in seen:
                seen.add(user)
                reached.append(user)
    return False
