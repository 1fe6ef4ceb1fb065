"""The uniform allocations, fewest bits first: the bar that every search has to clear."""

from collections.abc import Set as AbstractSet

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
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
        shared = set(spec.menus[0]).intersection(*spec.menus[1:])
        self._widths = sorted({option.bit_width for option in shared})
        self._rungs = {
            width: [
                BitAllocation.uniform(spec.points, option)
                for option in sorted(shared)
                if option.bit_width == width
            ]
            for width in self._widths
        }
        self._holds: set[int] = set()

    def learn(self, trial: TrialResult) -> None:
        """Note a rung that holds the floor."""
        option = uniform_option(trial.allocation)
        if trial.feasible and option is not None:
            self._holds.add(option.bit_width)

    def propose(self, seen: AbstractSet[BitAllocation]) -> BitAllocation | None:
        """Return the next uniform allocation to evaluate; None when the ladder is climbed."""
        for width in self._wanted():
            for allocation in self._rungs[width]:
                if allocation not in seen:
                    return allocation
        return None

    def _wanted(self) -> list[int]:
        if not self._holds:
            return self._widths
        first = self._widths.index(min(self._holds))
        return [*self._widths[: first + 2], self._widths[-1]]


def uniform_option(allocation: BitAllocation) -> QuantizerConfig | None:
    """Return the option all points share, None where they differ."""
    options = {option for _, option in allocation.items()}
    return options.pop() if len(options) == 1 else None
