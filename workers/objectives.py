"""What a request may minimize, with the facts about its network and about the quantizers."""

from search import cost
from search.cost import Objective
from search.quantization import catalog  # noqa: F401  # registers the quantizers
from search.quantization import quantizer
from search.quantization.capture import CapturedNetwork


def objective(name: str, network: CapturedNetwork) -> Objective:
    """Return one of `cost.OFFERED`.

    Raises UnsupportedNetwork if it counts the memory of weights, and a layer has none that is
    stored.
    """
    points = network.points
    if name == cost.ACTIVATION_MEMORY:
        return cost.ActivationMemory(points)
    if name == cost.PEAK_ACTIVATION_MEMORY:
        return cost.PeakActivationMemory(points, network.structure.alive)
    if name == cost.BIT_OPERATIONS:
        return cost.BitOperations(operators=network.structure.operators(points))
    with_codebooks = cost.ActivationMemory(points, _storing_codebooks())
    if name == cost.ACTIVATION_MEMORY_WITH_CODEBOOKS:
        return with_codebooks
    weights = _weight_memory(network)
    return weights if name == cost.WEIGHT_MEMORY else cost.Total((with_codebooks, weights))


def _weight_memory(network: CapturedNetwork) -> cost.WeightMemory:
    known = quantizer.registered()
    return cost.WeightMemory(
        network.weight_points(),
        tables=_storing_codebooks(),
        per_channel=frozenset(q.name for q in known if q.per_channel),
        channels=tuple((w.point.name, len(w.tensor)) for w in network.weights),
    )


def _storing_codebooks() -> frozenset[str]:
    return frozenset(q.name for q in quantizer.registered() if q.stores_codebook)
