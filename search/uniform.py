"""The uniform allocations, fewest bits first: the bar that every search has to clear."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.spec import SearchSpec
from search.trial import TrialResult


class UniformLadder:
    """Climbs from the fewest bits until some quantizer holds the floor, then one rung more.

    The first rung that holds is the smallest uniform allocation by construction, without assuming
    that accuracy grows with bits; the rungs below cost little, since they are rejected early. The
    rung above and the topmost one anchor the sampler and give certification somewhere to fall
    back to.
    """

    def __init__(self, spec: SearchSpec) -> None:
        self._widths_of = {a: option.bit_width for a, option in uniform_allocations(spec).items()}
        self._widths = sorted(set(self._widths_of.values()))
        self._holds: set[int] = set()

    def learn(self, trial: TrialResult) -> None:
        """Note a rung that holds the floor."""
        width = self._widths_of.get(trial.allocation)
        if trial.feasible and width is not None:
            self._holds.add(width)

    def propose(self, seen: AbstractSet[BitAllocation]) -> BitAllocation | None:
        """Return the next uniform allocation to evaluate; None when the ladder is climbed."""
        for wanted in self._wanted():
            for allocation, width in self._widths_of.items():
                if width == wanted and allocation not in seen:
                    return allocation
        return None

    def _wanted(self) -> list[int]:
        if not self._holds:
            return self._widths
        first = self._widths.index(min(self._holds))
        return [*self._widths[: first + 2], self._widths[-1]]


def uniform_allocations(spec: SearchSpec) -> Mapping[BitAllocation, QuantizerConfig]:
    """Return every uniform allocation and the option it is uniform in, fewest bits first.

    Where a point's menu lacks the option, the point takes the nearest it has, and a point that
    stays in float32 stays so. Of options that come to the same allocation the first is told.
    """
    options = sorted(
        {option for variable in spec.variables for option in variable.menu},
        key=lambda option: (option.bit_width, option),
    )
    found: dict[BitAllocation, QuantizerConfig] = {}
    for option in options:
        chosen = [nearest(variable.menu, option) for variable in spec.variables]
        found.setdefault(spec.allocation(chosen), option)
    return found
