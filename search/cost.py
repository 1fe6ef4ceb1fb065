"""What an allocation costs: the objectives that a search may minimize, in bits or bit operations.

b(x) is the bit-width of tensor x: the allocation's where it names x, else 32. Every objective is
a frozen value made of facts about the network, and prices an allocation without looking at images.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from typing import Protocol

from search.allocation import FLOAT_BIT_WIDTH
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import InvalidSpec

ACTIVATION_MEMORY = "activation_memory"
ACTIVATION_MEMORY_WITH_CODEBOOKS = "activation_memory_with_codebooks"
PEAK_ACTIVATION_MEMORY = "peak_activation_memory"
WEIGHT_MEMORY = "weight_memory"
TOTAL_MEMORY = "total_memory"
BIT_OPERATIONS = "bit_operations"
_OF_ACTIVATIONS = (ACTIVATION_MEMORY, ACTIVATION_MEMORY_WITH_CODEBOOKS, PEAK_ACTIVATION_MEMORY)
#: what is quantized -> what a request may minimize: all that depends on it
OFFERED_FOR = {
    "activations": (*_OF_ACTIVATIONS, TOTAL_MEMORY, BIT_OPERATIONS),
    "weights": (WEIGHT_MEMORY, TOTAL_MEMORY, BIT_OPERATIONS),
    "both": (*_OF_ACTIVATIONS, WEIGHT_MEMORY, TOTAL_MEMORY, BIT_OPERATIONS),
}
#: all that a request may name
OFFERED = OFFERED_FOR["both"]


class Objective(Protocol):
    """A price to minimize; equal allocations have equal prices."""

    @property
    def name(self) -> str:
        """What it is called, in requests and in results."""
        ...

    def cost(self, allocation: BitAllocation) -> int:
        """Return the price; fewer bits never cost more."""
        ...


@dataclass(frozen=True, slots=True)
class ActivationMemory:
    """Σ elements(p) × b(p) over all points p, per image (Sun & Lin, §IV).

    The paper charges no tables, nor is any charged here unless `tables` names the quantizers that
    store one: then each point with such a quantizer adds its codebook of 2^b(p) levels in float32,
    2^b(p) × 32 bits. A codebook is stored once, not per image; it is charged as if for one image.
    """

    #: in network order
    points: tuple[QuantizationPoint, ...]
    #: quantizers whose codebook is charged
    tables: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Which of the two it is."""
        return ACTIVATION_MEMORY_WITH_CODEBOOKS if self.tables else ACTIVATION_MEMORY

    def cost(self, allocation: BitAllocation) -> int:
        """Return bits."""
        names = {point.name for point in self.points}
        codebooks = sum(
            (1 << config.bit_width) * FLOAT_BIT_WIDTH
            for name, config in allocation.items()
            if config.quantizer in self.tables and name in names
        )
        return memory_bits(self.points, allocation) + codebooks


@dataclass(frozen=True, slots=True)
class PeakActivationMemory:
    """max over steps s of Σ elements(p) × b(p) over the points p alive at s, per image.

    What has to fit when the memory of a tensor is used again after its last reader. Raises
    InvalidSpec if a step names no point of the network, or a point is never alive.
    """

    points: tuple[QuantizationPoint, ...]
    #: per step of the network the names of the points that are held in memory
    schedule: tuple[frozenset[str], ...]
    name: ClassVar[str] = PEAK_ACTIVATION_MEMORY

    def __post_init__(self) -> None:
        alive = frozenset[str]().union(*self.schedule)
        if differing := alive ^ {point.name for point in self.points}:
            names = ", ".join(sorted(differing))
            raise InvalidSpec("schedule", f"{names}: not both a point and alive at some step")

    def cost(self, allocation: BitAllocation) -> int:
        """Return bits."""
        stored = {point.name: memory_bits((point,), allocation) for point in self.points}
        return max(sum(stored[name] for name in step) for step in self.schedule)


@dataclass(frozen=True, slots=True)
class WeightMemory:
    """Σ elements(w) × b(w) over the weight tensors w, and what is stored beside the codes.

    b is `otherwise` where none is allocated. A quantizer of `tables` adds its codebook of 2^b(w)
    levels in float32, 2^b(w) × 32 bits; one of `per_channel` a scale in float32 for each output
    channel, channels(w) × 32 bits. Zero points, and the scale that all other quantizers have one of
    in a tensor, are not charged.
    """

    weights: tuple[QuantizationPoint, ...]
    #: bits of a weight that the allocation does not name
    otherwise: int = FLOAT_BIT_WIDTH
    #: quantizers whose codebook is charged
    tables: frozenset[str] = frozenset()
    #: quantizers with a scale for every output channel
    per_channel: frozenset[str] = frozenset()
    #: (weight, output channels) of those that such a quantizer may get
    channels: tuple[tuple[str, int], ...] = ()
    name: ClassVar[str] = WEIGHT_MEMORY

    def cost(self, allocation: BitAllocation) -> int:
        """Return bits."""
        chosen = dict(allocation.items())
        channels = dict(self.channels)
        return sum(
            weight.elements * self.otherwise
            if (config := chosen.get(weight.name)) is None
            else weight.elements * config.bit_width
            + self._beside(config, channels=channels.get(weight.name, 0))
            for weight in self.weights
        )

    def _beside(self, config: QuantizerConfig, *, channels: int) -> int:
        table = 1 << config.bit_width if config.quantizer in self.tables else 0
        scales = channels if config.quantizer in self.per_channel else 0
        return (table + scales) * FLOAT_BIT_WIDTH


@dataclass(frozen=True, slots=True)
class Total:
    """Σ cost(part) over the parts: weights and activations that share one memory, for example."""

    parts: tuple[Objective, ...]
    name: ClassVar[str] = TOTAL_MEMORY

    def cost(self, allocation: BitAllocation) -> int:
        """Return the sum, in the parts' own unit."""
        return sum(part.cost(allocation) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A layer that multiplies and accumulates."""

    #: multiply-accumulates per image
    macs: int
    #: points whose values it reads, several where they were concatenated; empty: the network's
    #: input, or what is made on the way and stored nowhere
    reads: frozenset[str]
    #: its weight tensor; None: it is computed from the images
    weight: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BitOperations:
    """Σ macs(o) × b(weight of o) × b(input of o) over the operators o, per image ("BOPs").

    The bit-width that counts is that of the tensor an operator reads, not of the one it writes; of
    several that were concatenated the widest, to which a runtime brings the others.
    """

    operators: tuple[Operator, ...]
    #: bits of a weight that the allocation does not name
    weight_bits: int = FLOAT_BIT_WIDTH
    #: bits of the network's input
    input_bits: int = FLOAT_BIT_WIDTH
    name: ClassVar[str] = BIT_OPERATIONS

    def cost(self, allocation: BitAllocation) -> int:
        """Return bit operations."""
        widths = _widths(allocation)
        return sum(
            operator.macs * self._weight_bits(operator, widths) * self._input_bits(operator, widths)
            for operator in self.operators
        )

    def _weight_bits(self, operator: Operator, widths: Mapping[str, int]) -> int:
        return (
            self.weight_bits
            if operator.weight is None
            else widths.get(operator.weight, self.weight_bits)
        )

    def _input_bits(self, operator: Operator, widths: Mapping[str, int]) -> int:
        return max((_width(widths, name) for name in operator.reads), default=self.input_bits)


def float_cost(objective: Objective) -> int:
    """Return the price when nothing is quantized."""
    return objective.cost(BitAllocation(()))


def memory_bits(points: Sequence[QuantizationPoint], allocation: BitAllocation) -> int:
    """Return Σ elements × bits over the points (Sun & Lin, §IV); float32 where left out."""
    widths = _widths(allocation)
    return sum(point.elements * _width(widths, point.name) for point in points)


def float_memory_bits(points: Sequence[QuantizationPoint]) -> int:
    """Return what the same points take in float32."""
    return sum(point.elements for point in points) * FLOAT_BIT_WIDTH


def saved(points: Sequence[QuantizationPoint], bits: float) -> float:
    """Return the share of the float32 memory that is no longer needed."""
    return 1 - bits / float_memory_bits(points)


def average_bits(points: Sequence[QuantizationPoint], bits: float) -> float:
    """Return bits per value, weighted by how many values each point stores."""
    values = sum(point.elements for point in points)
    return bits / values


def _widths(allocation: BitAllocation) -> dict[str, int]:
    return {name: config.bit_width for name, config in allocation.items()}


def _width(widths: Mapping[str, int], name: str) -> int:
    return widths.get(name, FLOAT_BIT_WIDTH)
