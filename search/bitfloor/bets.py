"""Weighs allocations: what each would save, times how likely it is to hold."""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search import ladder
from search.allocation import BitAllocation
from search.bitfloor.view import View
from search.frontier import Frontier
from search.frontier_fold import Costs
from search.frontier_fold import Indices
from search.frontier_fold import Places
from search.samplers import Proposal
from search.sensitivity import Reals

BETS = 400  # allocations of one frontier that are weighed
TRIED = 60  # of these, best first, until one is new and cheaper


@dataclass(frozen=True, slots=True)
class Bet:
    """An allocation with what is expected of it."""

    proposal: Proposal
    #: share of the best cost that it is expected to save, see `Bookmaker.gains`
    gain: float


def thinned(indices: Indices, most: int) -> Indices:
    """Return at most so many of the indices, spread evenly over them."""
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).round().astype(np.int64)]


@dataclass(frozen=True, eq=False)
class Bookmaker:
    """Weighs what it is shown by one belief and outlook."""

    view: View
    #: never proposed again
    seen: Collection[BitAllocation]
    #: the ladder of the trials that held: how likely each is certified, and what it saves
    standing: Sequence[tuple[float, float]] = ()
    #: what it costs if nothing is certified; None: there is always something, for `best`
    nothing: int | None = None

    def likely(self, options: Places) -> Reals:
        """Return how likely each allocation holds; options of shape (allocations, variables)."""
        return self.view.outlook.probability(self.view.weighed(options))

    def gains(self, likely: Reals, costs: Costs, *, best: int) -> Reals:
        """Return what bets are expected to save, as shares of `best`, shape (bets,).

        What is saved in the end is what the ladder of all that held saves, see `ladder.gains`; so
        a near copy of what stands gains next to nothing.
        """
        saved = (self.nothing or best) - np.asarray(costs, dtype=float)
        return ladder.gains(likely, saved, standing=self.standing) / best

    def below(self, found: Frontier, *, best: int, origin: str) -> Bet | None:
        """Return the best bet of a frontier that costs less than `best`; None if there is none."""
        some = thinned(np.flatnonzero(found.costs < best), BETS)
        options, costs = found.options[some], found.costs[some]
        gains = self.gains(self.likely(options), costs, best=best)
        for i in np.argsort(-gains, kind="stable")[:TRIED]:
            allocation = self.view.landscape.allocation(options[i].tolist())
            # costs may be those of a linear model of the objective
            if allocation not in self.seen and self.view.spec.cost(allocation) < best:
                return Bet(Proposal(allocation, origin), float(gains[i]))
        return None

    def known(self, proposals: Sequence[Proposal], *, best: int, hope: float) -> Iterator[Bet]:
        """Yield bets on known allocations that are new, cheaper, and at least so likely to hold."""
        spec, landscape = self.view.spec, self.view.landscape
        fresh = [
            (proposal, cost)
            for proposal in proposals
            if proposal.allocation not in self.seen
            and (cost := spec.cost(proposal.allocation)) < best
        ]
        if not fresh:
            return
        options = np.array([landscape.options(proposal.allocation) for proposal, _ in fresh])
        likely = self.likely(options)
        gains = self.gains(likely, np.array([cost for _, cost in fresh]), best=best)
        for (proposal, _), chance, gain in zip(fresh, likely, gains, strict=True):
            if chance >= hope:
                yield Bet(proposal, float(gain))

    def cheapest(self, found: Frontier, *, likely: float, origin: str) -> Proposal | None:
        """Return the cheapest new allocation so likely to hold; the likeliest if none is."""
        some = thinned(np.arange(len(found)), BETS)
        chances = self.likely(found.options[some])
        enough = np.flatnonzero(chances >= likely)
        order = [*enough, *np.argsort(-chances, kind="stable")]
        for i in order:
            allocation = self.view.landscape.allocation(found.options[some[i]].tolist())
            if allocation not in self.seen:
                return Proposal(allocation, origin)
        return None
