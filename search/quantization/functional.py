"""In-place operators as functional ones, so that a quantizer can be put between any two nodes."""

from torch import fx

from search.errors import UnsupportedNetwork
from search.quantization import graph
from search.quantization.operators import FUNCTIONAL
from search.quantization.operators import VIEWS


def make_functional(module: fx.GraphModule) -> None:
    """Replace in-place operators on activations by functional ones, in-place on the graph.

    Who reads the overwritten tensor later reads the result instead. Raises UnsupportedNetwork where
    a part of another tensor is overwritten, which has no functional twin.
    """
    data = graph.data_nodes(module)
    position = {node: index for index, node in enumerate(module.graph.nodes)}
    for node in list(module.graph.nodes):
        if node not in data or not _overwrites(node):
            continue
        overwritten = node.args[0]
        if node.target not in FUNCTIONAL or _shares_memory(
            overwritten, after=position[node], at=position
        ):
            raise UnsupportedNetwork(str(node.target), "it overwrites part of a tensor in place")
        node.target = FUNCTIONAL[node.target]
        overwritten.replace_all_uses_with(
            node, delete_user_cb=lambda user, node=node: position[user] > position[node]
        )


def _overwrites(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return node.op == "call_function" and schema is not None and bool(schema.is_mutable)


def _shares_memory(node: fx.Node, *, after: int, at: dict[fx.Node, int]) -> bool:
    """Return whether the tensor is a view, or has a view that is read after the position."""
    if node.target in VIEWS:
        return True
    views = (user for user in node.users if user.target in VIEWS and at[user] < after)
    return any(at[reader] > after for view in views for reader in view.users)
