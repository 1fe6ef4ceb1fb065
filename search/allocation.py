"""What a search decides: for every quantization point a quantizer and a bit-width."""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MIN_BIT_WIDTH = 1
MAX_BIT_WIDTH = 16
FLOAT_BIT_WIDTH = 32


@dataclass(frozen=True, slots=True, order=True)
class QuantizerConfig:
    """One option of one point."""

    #: registered name of the quantizer, such as "affine"
    quantizer: str
    #: bits per stored value, MIN_BIT_WIDTH to MAX_BIT_WIDTH
    bit_width: int

    def __str__(self) -> str:
        return f"{self.quantizer}:{self.bit_width}"


def nearest(options: Sequence[QuantizerConfig], wanted: QuantizerConfig) -> QuantizerConfig:
    """Return the wanted option if it is offered, else the one that comes closest.

    The bit-width counts first, of two equally far the larger, then the quantizer.
    """
    return min(
        options,
        key=lambda o: (
            abs(o.bit_width - wanted.bit_width),
            -o.bit_width,
            o.quantizer != wanted.quantizer,
            o,
        ),
    )


class Kind(StrEnum):
    """What is stored at a point."""

    ACTIVATION = "activation"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class QuantizationPoint:
    """A tensor that is stored between fused operators, or the weight of one."""

    #: unique in the network, the module path of its operator, such as "features.0"; of a weight,
    #: that of the layer and ".weight"
    name: str
    #: values stored per image; of a weight, its values
    elements: int
    kind: Kind = Kind.ACTIVATION


@dataclass(frozen=True, slots=True)
class BitAllocation:
    """Point name -> QuantizerConfig, in network order; a point left out stays in float32."""

    configs: tuple[tuple[str, QuantizerConfig], ...]

    @classmethod
    def of(cls, configs: Mapping[str, QuantizerConfig]) -> "BitAllocation":
        """Return the allocation with the points in the mapping's order."""
        return cls(tuple(configs.items()))

    @classmethod
    def uniform(
        cls, points: Sequence[QuantizationPoint], config: QuantizerConfig
    ) -> "BitAllocation":
        """Return the allocation that gives every point the same option."""
        return cls(tuple((point.name, config) for point in points))

    def items(self) -> Iterator[tuple[str, QuantizerConfig]]:
        """Iterate over (point name, option) in network order."""
        return iter(self.configs)

    def points(self) -> Iterator[str]:
        """Iterate over the names of the quantized points in network order."""
        return (point for point, _ in self.configs)

    def get(self, point: str) -> QuantizerConfig | None:
        """Return the point's option, None where it stays in float32."""
        return next((config for name, config in self.configs if name == point), None)

    def replace(self, points: Collection[str], config: QuantizerConfig) -> "BitAllocation":
        """Return a copy in which these points have another option."""
        return BitAllocation(
            tuple((name, config if name in points else old) for name, old in self.configs)
        )

    def without(self, point: str) -> "BitAllocation":
        """Return a copy in which one point stays in float32."""
        return BitAllocation(tuple(pair for pair in self.configs if pair[0] != point))
