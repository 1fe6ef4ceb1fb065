"""Folding batch-norm into the convolution or linear layer before it, as every runtime does."""

from typing import Any

import torch
from torch import Tensor
from torch import fx
from torch import nn

from search.errors import UnsupportedNetwork
from search.quantization import graph
from search.quantization.operators import LAYERS

aten: Any = torch.ops.aten


def fold_batch_norms(module: fx.GraphModule) -> None:
    """Fold every batch-norm that alone reads a layer with a constant weight, in-place.

    w' = w · γ / √(σ² + ε), b' = (b − μ) · γ / √(σ² + ε) + β, per output channel (Jacob et al.
    2018, §3.2). Weights that are used more than once are copied first.
    """
    for norm in graph.calls(module, aten.batch_norm.default):
        producer = norm.args[0]
        if (
            isinstance(producer, fx.Node)
            and producer.target in LAYERS
            and _is_constant(producer.args[1])
            and graph.sole_user(producer) is norm
        ):
            _fold(module, producer, norm=norm)


def _fold(module: fx.GraphModule, producer: fx.Node, *, norm: fx.Node) -> None:
    weight = _value(module, producer.args[1])
    _, _, *rest = producer.args
    bias = _value(module, rest[0] if rest else None)
    gamma, beta, mean, variance = (_value(module, argument) for argument in norm.args[1:5])
    if weight is None or mean is None or variance is None:
        raise UnsupportedNetwork(str(norm.target), "its weights or statistics are not constant")
    epsilon: Any = norm.args[7]
    # in double: the quotient of two small numbers is where float32 would lose digits
    factor = torch.rsqrt(variance.double() + epsilon)
    if gamma is not None:
        factor = factor * gamma.double()
    shift = -mean.double() * factor
    if bias is not None:
        shift = shift + bias.double() * factor
    if beta is not None:
        shift = shift + beta.double()
    folded = weight.double() * factor.reshape(-1, *[1] * (weight.ndim - 1))
    _rewire(module, producer, weight=folded.to(weight.dtype), bias=shift.to(weight.dtype))
    norm.replace_all_uses_with(producer)
    module.graph.erase_node(norm)


def _rewire(module: fx.GraphModule, producer: fx.Node, *, weight: Tensor, bias: Tensor) -> None:
    """Let the producer read new parameters of its own."""
    arguments = list(producer.args)
    arguments += [None] * (3 - len(arguments))
    with module.graph.inserting_before(producer):
        for position, kind, value in ((1, "weight", weight), (2, "bias", bias)):
            name = f"folded_{producer.name}_{kind}"
            module.register_parameter(name, nn.Parameter(value, requires_grad=False))
            arguments[position] = module.graph.get_attr(name)
    producer.args = tuple(arguments)


def _value(module: fx.GraphModule, argument: object) -> Tensor | None:
    """Return the parameter or buffer that a graph argument stands for."""
    if not isinstance(argument, fx.Node):
        return None
    return graph.attribute(module, argument).detach()


def _is_constant(argument: object) -> bool:
    return isinstance(argument, fx.Node) and argument.op == "get_attr"
