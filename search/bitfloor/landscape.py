"""A search as arrays: what every option of every variable costs and is expected to do."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from functools import lru_cache

import numpy as np

from search import frontier
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.frontier import Choices
from search.frontier import Frontier
from search.frontier_fold import Costs
from search.frontier_fold import Places
from search.sensitivity import Reals
from search.sensitivity import Sensitivity
from search.spec import SearchSpec

_LEAST = 1e-30  # energy, so that a logarithm exists
FLOAT = -1  # in place of an option: the variable stays in float32, as other methods may leave it
#: sums in a list of the frontier: the scores are estimates, a gap of a few thousandths is nothing
LONGEST = 4_000
#: allocations around which costs are told again and again: those that are the best for a while
BESTS = 8


@dataclass(frozen=True, eq=False)
class Landscape:
    """Energies by variable and option; options in the order of the menus."""

    spec: SearchSpec
    #: (options of v,) for each variable v
    energies: tuple[Reals, ...]

    @classmethod
    def of(cls, spec: SearchSpec, sensitivity: Sensitivity) -> "Landscape":
        """Return the landscape; the energies of tied points add up."""
        return cls(
            spec,
            tuple(
                np.array(
                    [
                        max(sum(sensitivity.energies[p][option] for p in v.points), _LEAST)
                        for option in v.menu
                    ]
                )
                for v in spec.variables
            ),
        )

    def options(self, allocation: BitAllocation) -> tuple[int, ...]:
        """Return the index in its menu of what each variable takes; FLOAT if it takes nothing."""
        chosen = dict(allocation.items())
        return tuple(
            places[chosen[v.name]] if v.name in chosen else FLOAT
            for v, places in zip(self.spec.variables, self._places, strict=True)
        )

    def allocation(self, options: Sequence[int]) -> BitAllocation:
        """Return the allocation in which each variable takes the option of this index."""
        return self.spec.allocation(
            [v.menu[i] for v, i in zip(self.spec.variables, options, strict=True)]
        )

    def of_options(self, options: Sequence[int]) -> Reals:
        """Return the energy of what each variable takes, shape (variables,)."""
        (found,) = self.of_many(np.array([options], dtype=np.int32))
        return np.asarray(found)

    def of_many(self, options: Places) -> Reals:
        """Return the same for many allocations, both of shape (allocations, variables)."""
        taken = np.stack([e[options[:, v]] for v, e in enumerate(self.energies)], axis=1)
        found: Reals = np.where(options == FLOAT, _LEAST, taken)
        return found

    def frontier(
        self, theta: Reals, *, around: BitAllocation, between: tuple[int, int] | None = None
    ) -> Frontier:
        """Return the frontier of cost against Σ exp(θ_v)·energy.

        Costs are those of changing one variable at a time around an allocation: exact where the
        objective is a sum over variables, as all are but peak memory and bit operations.
        """
        costs = self.costs(around)
        scores = tuple(np.exp(t) * e for t, e in zip(theta, self.energies, strict=True))
        return frontier.solve(Choices(costs, scores), costs_between=between, longest=LONGEST)

    def costs(self, around: BitAllocation) -> tuple[Costs, ...]:
        """Return what each option costs; of one allocation the sum is its cost, near `around`."""
        return self._costs(around)

    @cached_property
    def _places(self) -> tuple[Mapping[QuantizerConfig, int], ...]:
        return tuple({option: i for i, option in enumerate(v.menu)} for v in self.spec.variables)

    @cached_property
    def _costs(self) -> Callable[[BitAllocation], tuple[Costs, ...]]:
        return lru_cache(maxsize=BESTS)(self._changed)

    def _changed(self, around: BitAllocation) -> tuple[Costs, ...]:
        base = self.spec.cost(around)
        changed = [
            np.array([self.spec.cost(around.replace(v.points, o)) - base for o in v.menu])
            for v in self.spec.variables
        ]
        changed[0] = changed[0] + base
        return tuple(np.asarray(c, dtype=np.int64) for c in changed)
