"""The closed form of Lin et al. (arXiv 1511.06393): bit-widths from the sizes of the layers alone.

Quantizing point i to b_i bits gives a signal-to-noise ratio of γ_i = κ·b_i + c decibels, c being
the same for all points whose values are distributed alike. The noise of all points adds up at the
output, 1/γ = Σ 1/γ_i as ratios, so that the fewest bits within a budget of noise N solve

    minimize Σ ρ_i·b_i   subject to   Σ 10^(-(κ·b_i + c)/10) <= N,

ρ_i being the number of values stored at point i. With a multiplier λ the optimum has, for every i,
ρ_i = λ·κ·(ln 10 / 10)·10^(-(κ·b_i + c)/10): each point makes noise in proportion to its size. Hence

    b_i - b_j = 10·log10(ρ_j / ρ_i) / κ.

κ is 6.02 dB a bit for evenly spaced levels over values that fill the range; Lin et al. fit 5 and 3
for Gaussian and heavier tails. The budget N moves all bit-widths together: it is what a search over
this family has left to find. The form knows neither the data nor what a layer matters for.
"""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from search import samplers
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.rules import Menu
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import TrialResult
from search.variables import Variable

#: κ, decibels that one more bit gains: 20·log10(2)
DECIBELS_PER_BIT = 20 * math.log10(2)


def offsets(
    points: Sequence[QuantizationPoint], *, decibels_per_bit: float = DECIBELS_PER_BIT
) -> Mapping[str, float]:
    """Return by how many bits, not rounded, each point lies above the largest one."""
    largest = max(point.elements for point in points)
    return {
        point.name: 10 * math.log10(largest / max(point.elements, 1)) / decibels_per_bit
        for point in points
    }


def family(spec: SearchSpec) -> tuple[BitAllocation, ...]:
    """Return every allocation of the closed form, per quantizer, cheapest first.

    The bit-widths of all points rise together; between two of its options a point takes the nearer.
    """
    above = _offsets(spec)
    quantizers = sorted(
        {option.quantizer for variable in spec.variables for option in variable.menu}
    )
    found = {
        spec.allocation(
            [
                _chosen(variable.menu, level + above[variable.name], quantizer=quantizer)
                for variable in spec.variables
            ]
        ): None
        for quantizer in quantizers
        for level in _levels(spec.variables, above)
    }
    return tuple(sorted(found, key=spec.cost))


def _offsets(spec: SearchSpec) -> Mapping[str, float]:
    """Return the offsets of the variables, by name.

    Of points that are tied the mean size counts: they make equal noise, m·n, for their sum of bits.
    """
    sizes = {point.name: point.elements for point in spec.points}
    return offsets(
        [
            QuantizationPoint(v.name, round(fmean(sizes[point] for point in v.points)))
            for v in spec.variables
        ]
    )


class LinSampler:
    """A `samplers.Sampler` that walks the family from its cheapest allocation upwards.

    It draws nothing. When the family is used up it repeats its last allocation.
    """

    starts_itself = False

    def __init__(self, spec: SearchSpec) -> None:
        self._unseen = dict.fromkeys(family(spec))
        self._last = next(reversed(self._unseen))

    def propose(self, *, number: int, attempt: int) -> Proposal:  # noqa: ARG002  # protocol's
        """Return the cheapest allocation not yet evaluated, `attempt` further up if asked again."""
        unseen = [*self._unseen]
        return Proposal(unseen[attempt] if attempt < len(unseen) else self._last, "lin")

    def learn(self, trial: TrialResult) -> None:
        """Strike out what was evaluated, whoever proposed it."""
        self._unseen.pop(trial.allocation, None)


samplers.register("lin")(LinSampler)


def _levels(variables: Sequence[Variable], above: Mapping[str, float]) -> list[float]:
    """Return bit-widths of the largest point, one for each allocation that rounding can give."""
    turns = sorted(
        {
            # rounded: points of sizes a power of four apart turn at once
            round((low + high) / 2 - above[variable.name], 9)
            for variable in variables
            for low, high in pairwise(sorted({option.bit_width for option in variable.menu}))
        }
    )
    if not turns:
        return [0.0]
    return [turns[0] - 1, *((low + high) / 2 for low, high in pairwise(turns)), turns[-1] + 1]


def _chosen(menu: Menu, bits: float, *, quantizer: str) -> QuantizerConfig:
    widths = {option.bit_width for option in menu}
    bit_width = min(widths, key=lambda width: (abs(width - bits), -width))
    return nearest(menu, QuantizerConfig(quantizer, bit_width))
