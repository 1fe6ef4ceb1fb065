"""Proposes what is expected to enlarge the front most: where it has gaps first, then finer.

Candidates are the frontiers of the measured energies, corrected by every trial (see `belief`), over
the whole range of memory, with some drawn from the belief, the uniform allocations and Lin et al.'s
closed form. Of each the accuracy is taken to be normal, as the process has it (see `outlook`); the
one with the largest expected gain of hypervolume (Emmerich et al. 2006) is proposed. The first few
are spread over the frontier instead, from where nothing is lost to where half of X is.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from search import front
from search.allocation import BitAllocation
from search.bitfloor.bets import thinned
from search.bitfloor.box import Box
from search.bitfloor.landscape import Landscape
from search.bitfloor.outlook import Expectation
from search.bitfloor.view import View
from search.frontier import Frontier
from search.frontier_fold import Indices
from search.frontier_fold import Places
from search.pareto import reference
from search.samplers import Proposal
from search.sensitivity import Reals
from search.trial import Hits
from search.trial import TrialResult

START = 5  # trials spread over the frontier
DRAWS = 3  # frontiers drawn from the belief per proposal
WEIGHED = 400  # allocations of one frontier
TRIED = 40  # of all, best first, whose cost is told exactly
#: gain, as a share of the box, below which nothing is left to find
NOTHING = 1e-7
#: share of X that is lost where the energies have to fit
MIDDLE = 0.1


@dataclass(frozen=True, eq=False)
class Pool:
    """Some allocations and who thought of them."""

    #: (allocations, variables)
    options: Places
    #: (allocations,), as far as the costs of a linear model are right
    costs: Reals
    origin: Sequence[str]


class FrontProposer:
    """A function of the trials learned, and of number and attempt."""

    def __init__(
        self, landscape: Landscape, expectation: Expectation, *, known: Sequence[Proposal]
    ) -> None:
        """`known` are allocations that others would choose."""
        self._landscape = landscape
        self._spec = landscape.spec
        baseline = self._spec.baseline
        # short of what the float model has right: the drop
        race = front.ahead_of(baseline.correct - 1, baseline)
        self._expectation = Expectation(expectation.response, race)
        self._known = known
        self._trials: list[TrialResult] = []
        self._seen: dict[BitAllocation, Hits] = {}
        self._decided: set[BitAllocation] = set()

    def learn(self, trial: TrialResult) -> None:
        """Take in one finished trial."""
        self._trials.append(trial)
        self._seen[trial.allocation] = trial.hits
        if trial.decided:
            self._decided.add(trial.allocation)

    def propose(self, *, number: int, attempt: int) -> Proposal | None:
        """Return what is expected to gain most; None if nothing is left to gain."""
        view = self._view()
        if len(self._trials) < START:
            return self._spread(view, len(self._trials) / (START - 1))
        random = np.random.default_rng([self._spec.seed, number, attempt])
        return self._largest(view, self._pool(view, random=random))

    def _view(self) -> View:
        middle = MIDDLE * self._spec.baseline.accuracy
        return View.of(
            self._landscape,
            self._expectation,
            trials=self._seen,
            floor=self._expectation.response.log_energy(middle),
        )

    def _accuracy(self, view: View, options: Places) -> tuple[Reals, Reals]:
        """Return mean and standard deviation for each allocation, shape (allocations,)."""
        short, variance = view.outlook.short(view.weighed(options))
        return self._spec.baseline.accuracy - short, np.sqrt(variance)

    def _frontier(self, theta: Reals) -> Frontier:
        """Return the frontier over the whole range, at most so many as are weighed."""
        found = self._landscape.frontier(theta, around=self._middle)
        some = thinned(np.arange(len(found)), WEIGHED)
        return Frontier(found.costs[some], found.scores[some], found.options[some], found.gap)

    @cached_property
    def _middle(self) -> BitAllocation:
        """An allocation around which costs are told."""
        return self._spec.allocation([v.menu[len(v.menu) // 2] for v in self._spec.variables])

    def _spread(self, view: View, share: float) -> Proposal | None:
        """Return the frontier's allocation at a share of the way from no loss to half of X."""
        found = self._frontier(view.belief.mean)
        mean, _ = self._accuracy(view, found.options)
        baseline = self._spec.baseline
        without_loss = np.flatnonzero(mean >= baseline.accuracy - 0.5 / baseline.images)
        half = np.flatnonzero(mean >= reference(baseline))
        first = found.costs[without_loss[0] if without_loss.size else -1]
        last = found.costs[half[0] if half.size else -1]
        wanted = first + share * (last - first)
        for i in np.argsort(np.abs(found.costs - wanted), kind="stable"):
            allocation = self._landscape.allocation(found.options[i].tolist())
            if allocation not in self._decided:
                return Proposal(allocation, "frontier")
        return None

    def _pool(self, view: View, *, random: np.random.Generator) -> Pool:
        thetas = [view.belief.mean, *(view.belief.draw(random) for _ in range(DRAWS))]
        found = [self._frontier(theta) for theta in thetas]
        known = [self._landscape.options(one.allocation) for one in self._known]
        exact = [self._spec.cost(one.allocation) for one in self._known]
        return Pool(
            np.concatenate([*(one.options for one in found), np.array(known, dtype=np.int32)]),
            np.concatenate([*(one.costs for one in found), exact]).astype(np.float64),
            [
                *(["correction"] * len(found[0])),
                *(["exploration"] * sum(len(one) for one in found[1:])),
                *(one.origin for one in self._known),
            ],
        )

    def _largest(self, view: View, pool: Pool) -> Proposal | None:
        """Return the new allocation with the largest gain, of the best at its exact cost."""
        box = Box.of(self._spec, self._trials)
        mean, deviation = self._accuracy(view, pool.options)
        gains = box.gain(pool.costs, mean=mean, deviation=deviation)
        fresh = [*self._fresh(pool, np.argsort(-gains, kind="stable"))]
        if not fresh:
            return None
        some = np.array([i for i, _ in fresh])
        exact = np.array([self._spec.cost(proposal.allocation) for _, proposal in fresh])
        gains = box.gain(exact.astype(np.float64), mean=mean[some], deviation=deviation[some])
        best = int(gains.argmax())
        return fresh[best][1] if gains[best] > NOTHING else None

    def _fresh(self, pool: Pool, order: Indices) -> Iterator[tuple[int, Proposal]]:
        left = TRIED
        for i in order:
            allocation = self._landscape.allocation(pool.options[i].tolist())
            if allocation not in self._decided:
                yield int(i), Proposal(allocation, pool.origin[i])
                left -= 1
            if not left:
                return
