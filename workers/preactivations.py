"""What layers compute before their activation function, which is stored nowhere.

The paper's Figure 1 shows it; only that figure needs it.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor
from torch import fx

from search.quantization.capture import CapturedNetwork
from search.quantization.histogram import Histogram
from search.quantization.observer import Counts
from search.quantization.observer import Range
from search.quantization.operators import ACTIVATIONS


def histograms(
    network: CapturedNetwork, batches: Callable[[], Iterable[Tensor]]
) -> dict[str, Histogram]:
    """Return per point what goes into its activation function, or what is stored without one.

    `batches` is called twice and gives the same images each time. The network runs in float32. A
    point that sees NaN or infinity has no histogram.
    """
    network.load({})
    nodes = _nodes(network)
    ranges = {point: Range() for point in nodes}
    _observe(network, batches(), notes={nodes[point]: ranges[point] for point in nodes})
    bounds = {point: seen.bounds() for point, seen in ranges.items()}
    counts = {point: Counts(*seen) for point, seen in bounds.items() if all(map(isfinite, seen))}
    _observe(network, batches(), notes={nodes[point]: counts[point] for point in counts})
    return {point: seen.histogram() for point, seen in counts.items()}


def _nodes(network: CapturedNetwork) -> dict[str, fx.Node]:
    """Return the node before each point's activation function, by point."""
    points = {network.observers[point.name]: point.name for point in network.points}
    found: dict[str, fx.Node] = {}
    for call in network.module.graph.nodes:
        called = network.module.get_submodule(call.target) if call.op == "call_module" else None
        if called in points:
            node = call.args[0]
            while node.target in ACTIVATIONS:
                node = node.args[0]
            found[points[called]] = node
    return found


@torch.inference_mode()
def _observe(
    network: CapturedNetwork, batches: Iterable[Tensor], *, notes: Mapping[fx.Node, Range | Counts]
) -> None:
    interpreter = _Noting(network.module, notes)
    for images in batches:
        interpreter.run(images)


class _Noting(fx.Interpreter):
    """Runs a graph and takes note of what some nodes give."""

    def __init__(self, module: fx.GraphModule, notes: Mapping[fx.Node, Range | Counts]) -> None:
        super().__init__(module)
        self._notes = notes

    def run_node(self, n: fx.Node) -> object:
        """Run the node; its value is noted if it is asked for."""
        value: object = super().run_node(n)
        if n in self._notes and isinstance(value, Tensor):
            self._notes[n].take(value)
        return value
