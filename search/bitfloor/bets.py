"""Weighs allocations: what each would save, times how likely it is to hold."""

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from search.allocation import BitAllocation
from search.bitfloor.belief import Belief
from search.bitfloor.landscape import Landscape
from search.bitfloor.outlook import Bets
from search.bitfloor.outlook import Outlook
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


def weighed(landscape: Landscape, belief: Belief, *, options: Places) -> Bets:
    """Return allocations, options of shape (allocations, variables), with their energies."""
    terms = belief.mean + np.log(landscape.of_many(options))
    totals: Reals = logsumexp(terms, axis=1)
    shares = np.exp(terms - totals[:, None])
    variances = np.einsum("av,vw,aw->a", shares, belief.covariance, shares)
    return Bets(
        options=options,
        shares=shares,
        log_energy=totals,
        deviation=np.sqrt(np.maximum(variances, 0.0)),
    )


@dataclass(frozen=True, eq=False)
class Bookmaker:
    """Weighs what it is shown by one belief and outlook."""

    landscape: Landscape
    belief: Belief
    outlook: Outlook
    #: never proposed again
    seen: Collection[BitAllocation]
    #: of the trials that held: what each costs, and how likely it is to be certified
    standing: Sequence[tuple[int, float]] = ()
    #: what it costs if nothing is certified; None: there is always something, for `best`
    nothing: int | None = None

    def likely(self, options: Places) -> Reals:
        """Return how likely each allocation holds; options of shape (allocations, variables)."""
        return self.outlook.probability(weighed(self.landscape, self.belief, options=options))

    def gains(self, likely: Reals, costs: Costs, *, best: int) -> Reals:
        """Return what bets are expected to save, as shares of `best`, shape (bets,).

        What stands is certified or not on the same images as a bet: with much luck the cheapest
        that stands is, with less a dearer one, with none nothing is. With as much luck as it needs
        itself, a bet saves what it costs less than what is certified then; so a near copy of what
        stands gains next to nothing.
        """
        gained = np.zeros(len(costs))
        needed = 0.0
        for cost, chance in [*sorted(self.standing), (self.nothing or best, 1.0)]:
            if chance > needed:
                enough = np.clip(likely, needed, chance) - needed
                gained += enough * np.maximum(cost - costs, 0)
                needed = chance
        return gained / best

    def below(self, found: Frontier, *, best: int, origin: str) -> Bet | None:
        """Return the best bet of a frontier that costs less than `best`; None if there is none."""
        some = thinned(np.flatnonzero(found.costs < best), BETS)
        options, costs = found.options[some], found.costs[some]
        gains = self.gains(self.likely(options), costs, best=best)
        for i in np.argsort(-gains, kind="stable")[:TRIED]:
            allocation = self.landscape.allocation(options[i].tolist())
            # costs may be those of a linear model of the objective
            if allocation not in self.seen and self.landscape.spec.cost(allocation) < best:
                return Bet(Proposal(allocation, origin), float(gains[i]))
        return None

    def known(self, proposals: Sequence[Proposal], *, best: int, hope: float) -> Iterator[Bet]:
        """Yield bets on known allocations that are new, cheaper, and at least so likely to hold."""
        spec = self.landscape.spec
        for proposal in proposals:
            cost = spec.cost(proposal.allocation)
            if proposal.allocation in self.seen or cost >= best:
                continue
            options = np.array([self.landscape.options(proposal.allocation)])
            likely = self.likely(options)
            if likely[0] >= hope:
                gain = self.gains(likely, np.array([cost]), best=best)
                yield Bet(proposal, float(gain[0]))

    def cheapest(self, found: Frontier, *, likely: float, origin: str) -> Proposal | None:
        """Return the cheapest new allocation so likely to hold; the likeliest if none is."""
        some = thinned(np.arange(len(found)), BETS)
        chances = self.likely(found.options[some])
        enough = np.flatnonzero(chances >= likely)
        order = [*enough, *np.argsort(-chances, kind="stable")]
        for i in order:
            allocation = self.landscape.allocation(found.options[some[i]].tolist())
            if allocation not in self.seen:
                return Proposal(allocation, origin)
        return None
