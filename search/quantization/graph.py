"""Reading an exported graph: who depends on the images, who reads whom, what a node is called."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch import fx
from torch import nn

from search.quantization.operators import IDENTITIES
from search.quantization.operators import SHAPE_READERS


def drop_identities(module: fx.GraphModule) -> None:
    """Remove operators that do nothing in eval mode, in-place."""
    for node in list(module.graph.nodes):
        if node.op == "call_function" and node.target in IDENTITIES:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)


def data_nodes(module: fx.GraphModule) -> frozenset[fx.Node]:
    """Return the nodes whose values depend on the images, not just on their shape."""
    found: set[fx.Node] = set()
    for node in module.graph.nodes:
        reads_values = node.target not in SHAPE_READERS
        if node.op == "placeholder" or (
            reads_values and any(source in found for source in node.all_input_nodes)
        ):
            found.add(node)
    return frozenset(found)


def module_path(node: fx.Node) -> str:
    """Return the path of the module the operator was called in, such as "features.0"."""
    stack = node.meta.get("nn_module_stack") or {}
    return str(next(reversed(stack.values()))[0]) if stack else ""


def sole_user(node: fx.Node) -> fx.Node | None:
    """Return the only reader of the node's output, None if there are several or none."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def calls(module: fx.GraphModule, target: Any) -> Iterator[fx.Node]:
    """Iterate over the calls of one operator; the graph may be changed meanwhile."""
    yield from list(module.graph.find_nodes(op="call_function", target=target))


def attribute(module: fx.GraphModule, node: fx.Node) -> Tensor:
    """Return the parameter or buffer that a get_attr node stands for."""
    value: object = module
    for part in str(node.target).split("."):
        value = getattr(value, part)
    assert isinstance(value, Tensor)  # noqa: S101  # an exported graph has no other attributes
    return value


def submodule_name(what: str, point: str) -> str:
    """Return a name for what is inserted at a point; a path has dots, a submodule must not."""
    return f"{what}_{point.replace('.', '_').replace('@', '__')}"


def insert_after(
    module: fx.GraphModule, node: fx.Node, *, name: str, inserted: nn.Module
) -> fx.Node:
    """Let all readers of `node` read the inserted module's output instead, in-place."""
    module.add_submodule(name, inserted)
    with module.graph.inserting_after(node):
        call = module.graph.call_module(name, (node,))
    call.meta = dict(node.meta)
    node.replace_all_uses_with(call, delete_user_cb=lambda user: user is not call)
    return call
