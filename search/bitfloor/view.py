"""What is believed of any allocation after some trials."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search.allocation import BitAllocation
from search.bitfloor import belief
from search.bitfloor.belief import Belief
from search.bitfloor.belief import Seen
from search.bitfloor.landscape import Landscape
from search.bitfloor.outlook import Bets
from search.bitfloor.outlook import Expectation
from search.bitfloor.outlook import Outlook
from search.frontier_fold import Places
from search.spec import SearchSpec
from search.trial import Hits


@dataclass(frozen=True, eq=False)
class View:
    """A landscape as some trials have shown it."""

    landscape: Landscape
    belief: Belief
    outlook: Outlook

    @classmethod
    def of(
        cls,
        landscape: Landscape,
        expectation: Expectation,
        *,
        trials: Mapping[BitAllocation, Hits],
        floor: float,
    ) -> "View":
        """Return the view after these trials; `floor` is the log energy where it has to fit."""
        options = [landscape.options(allocation) for allocation in trials]
        hits = [*trials.values()]
        believed = belief.posterior(
            belief.prior(len(landscape.spec.variables)),
            [Seen(landscape.of_options(o), h) for o, h in zip(options, hits, strict=True)],
            response=expectation.response,
            floor=floor,
        )
        taken = np.array(options, dtype=np.int32).reshape(len(hits), len(landscape.spec.variables))
        tried = weighed(landscape, believed, options=taken)
        return cls(landscape, believed, Outlook(expectation, tried, hits))

    @property
    def spec(self) -> SearchSpec:
        """The search."""
        return self.landscape.spec

    def bets(self, allocations: Iterable[BitAllocation]) -> Bets:
        """Return allocations, at least one, with their energies."""
        options = np.array([self.landscape.options(a) for a in allocations], dtype=np.int32)
        return self.weighed(options)

    def weighed(self, options: Places) -> Bets:
        """Return the same of options, shape (allocations, variables)."""
        return weighed(self.landscape, self.belief, options=options)


def weighed(landscape: Landscape, belief: Belief, *, options: Places) -> Bets:
    """Return allocations, options of shape (allocations, variables), with their energies."""
    totals, deviation, shares = belief.log_energies(landscape.of_many(options))
    return Bets(options=options, shares=shares, log_energy=totals, deviation=deviation)
