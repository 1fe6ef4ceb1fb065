"""Reading an exported graph: what does nothing, what is fused, where tensors are stored."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from search.errors import UnsupportedNetwork

aten: Any = torch.ops.aten

#: operators that hand their first argument on, in eval mode
IDENTITIES = frozenset(
    {
        aten.dropout.default,
        aten.dropout_.default,
        aten.feature_dropout.default,
        aten.detach.default,
        aten.alias.default,
    }
)

#: in-place operator -> its twin that leaves its input alone
FUNCTIONAL = {
    aten.relu_.default: aten.relu.default,
    aten.relu6_.default: aten.relu6.default,
    aten.hardtanh_.default: aten.hardtanh.default,
    aten.leaky_relu_.default: aten.leaky_relu.default,
    aten.silu_.default: aten.silu.default,
    aten.hardswish_.default: aten.hardswish.default,
    aten.hardsigmoid_.default: aten.hardsigmoid.default,
    aten.elu_.default: aten.elu.default,
    aten.dropout_.default: aten.dropout.default,
}

#: operators whose output a fused runtime stores, once batch-norm and activation are applied
PRODUCERS = frozenset(
    {
        aten.conv1d.default,
        aten.conv2d.default,
        aten.conv2d.padding,
        aten.conv3d.default,
        aten.linear.default,
    }
)

ACTIVATIONS = frozenset(
    {
        *(twin for twin in FUNCTIONAL.values() if twin is not aten.dropout.default),
        aten.gelu.default,
        aten.sigmoid.default,
        aten.tanh.default,
    }
)

#: operators that pick one of their inputs by order, so that a monotone map commutes with them
ORDER_PICKING = frozenset({aten.max_pool2d.default, aten.adaptive_max_pool2d.default})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point lies in the graph."""

    #: the module path of the producing operator
    name: str
    #: the node whose output is stored
    stored: fx.Node
    #: the node after which rounding gives the same result at the least cost
    rounded: fx.Node


def drop_identities(module: fx.GraphModule) -> None:
    """Remove operators that do nothing in eval mode, in-place."""
    for node in list(module.graph.nodes):
        if node.op == "call_function" and node.target in IDENTITIES:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)


def make_functional(module: fx.GraphModule) -> None:
    """Replace in-place activations by functional ones, in-place on the graph.

    Only where nobody else reads the tensor that would have been overwritten; raises
    UnsupportedNetwork elsewhere, since then the order of reading matters.
    """
    for node in module.graph.nodes:
        if node.op != "call_function" or node.target not in FUNCTIONAL:
            continue
        if len(node.args[0].users) > 1:
            raise UnsupportedNetwork(str(node.target), "it overwrites a tensor that others read")
        node.target = FUNCTIONAL[node.target]


def find_places(module: fx.GraphModule) -> list[Place]:
    """Return the places of all points, in network order, with unique names."""
    used: dict[str, int] = {}
    places = []
    for node in module.graph.nodes:
        if node.op == "call_function" and node.target in PRODUCERS:
            stored = _sole_user_in(node, ACTIVATIONS) or node
            rounded = _sole_user_in(stored, ORDER_PICKING) or stored
            places.append(Place(_unique(module_path(node), used), stored, rounded))
    return places


def module_path(node: fx.Node) -> str:
    """Return the path of the module the operator was called in, such as "features.0"."""
    stack = node.meta.get("nn_module_stack") or {}
    path = next(reversed(stack.values()))[0] if stack else ""
    return str(path) or node.name


def elements(node: fx.Node) -> int:
    """Return how many values the node's output holds per image (all dimensions but the first)."""
    return math.prod(int(size) for size in node.meta["val"].shape[1:])


def sole_user(node: fx.Node) -> fx.Node | None:
    """Return the only reader of the node's output, None if there are several or none."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def calls(module: fx.GraphModule, target: Any) -> Iterator[fx.Node]:
    """Iterate over the calls of one operator; the graph may be changed meanwhile."""
    yield from list(module.graph.find_nodes(op="call_function", target=target))


def _sole_user_in(node: fx.Node, targets: frozenset[Any]) -> fx.Node | None:
    user = sole_user(node)
    if user is not None and user.op == "call_function" and user.target in targets:
        return user
    return None


def _unique(name: str, used: dict[str, int]) -> str:
    """Return the name, numbered from its second use on: a module may be called repeatedly."""
    used[name] = used.get(name, 0) + 1
    return name if used[name] == 1 else f"{name}@{used[name]}"
