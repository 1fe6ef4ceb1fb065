"""Proposes what is expected to save most: bets on the frontier, corrected by every verdict.

First comes the frontier of the measured energies: a safe allocation, which a certificate can fall
back on, then one nearer the floor. After every trial the energies are corrected where the images
that it flipped contradict them (see `belief`), and of the corrected frontier the allocation is
taken whose saving times the likelihood that it holds is largest. Frontiers are drawn from the
belief too, so that doubtful corrections get tried. What others would choose is a bet as well.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from search import cost
from search import ladder
from search.allocation import BitAllocation
from search.bitfloor.bets import Bet
from search.bitfloor.bets import Bookmaker
from search.bitfloor.outset import Outset
from search.samplers import Proposal
from search.trial import Hits
from search.trial import TrialResult

DRAWS = 6  # frontiers drawn from the belief per proposal
REACH = 0.8  # of the best cost: how far down a frontier is looked at
STEP = 0.004  # of the best cost: what saves less is not worth a pass
HOPE = 0.02  # a known allocation less likely than that to hold is not worth a trial
CREDIBLE = 0.5  # likelihood of being certified from which on a held trial is the one to beat
ASSURED = 0.999  # the same of what a certificate can fall back on
SAFE = 0.6  # likelihood that the first allocation holds
#: the same of those that follow misses, until one holds
UPWARDS = (0.5, 0.75, 0.9, 0.97, 0.99)


class Proposer:
    """A function of the trials learned, and of number and attempt."""

    def __init__(self, outset: Outset) -> None:
        self._outset = outset
        self._spec = outset.landscape.spec
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
        """Return the best bet; None if none is left."""
        held = [trial for trial in self._trials if trial.feasible]
        if not held:
            return self._upwards(own=sum(not trial.earlier for trial in self._trials))
        bookmaker = self._bookmaker()
        best = min(held, key=lambda trial: (trial.memory_bits, trial.number))
        below = best.memory_bits
        if self._outset.expectation.certificate is not None:
            bookmaker, best, below = self._insured(held, bookmaker)
        random = np.random.default_rng([self._spec.seed, number, attempt])
        bets = [
            *self._downwards(bookmaker, best, below=below, random=random),
            *bookmaker.known(self._outset.known, best=below, hope=HOPE),
        ]
        return max(bets, key=lambda bet: bet.gain).proposal if bets else None

    def _insured(
        self, held: Sequence[TrialResult], bookmaker: Bookmaker
    ) -> tuple[Bookmaker, TrialResult, int]:
        """Return who weighs bets by what is certified in the end, and the trial and cost to beat.

        What held by luck is no bar to what is larger and likelier to be certified: the trial to
        beat is the smallest that is believed in, of doubtful ones the likeliest; and bets may cost
        as much as what is all but sure.
        """
        ordered = sorted(held, key=lambda trial: (trial.memory_bits, trial.number))
        view = bookmaker.view
        chances = view.outlook.certified(view.bets(trial.allocation for trial in ordered))
        believed = np.flatnonzero(chances >= CREDIBLE)
        best = ordered[int(believed[0] if believed.size else chances.argmax())]
        found = view.landscape.frontier(view.belief.mean, around=best.allocation)
        sure = bookmaker.cheapest(found, likely=ASSURED, origin="correction")
        below = best.memory_bits if sure is None else self._spec.cost(sure.allocation) + 1
        below = max(below, best.memory_bits)
        nothing = cost.float_cost(self._spec.minimized)
        saved = [float(nothing - trial.memory_bits) for trial in ordered]
        likely = chances.tolist()
        standing = tuple((likely[i], saved[i]) for i in ladder.ladder(likely, saved))
        return replace(bookmaker, standing=standing, nothing=nothing), best, below

    def _bookmaker(self) -> Bookmaker:
        return Bookmaker(self._outset.after(self._seen), self._decided)

    def _upwards(self, *, own: int) -> Proposal | None:
        """Return the cheapest allocation that is likely to hold, the likelier the more missed.

        `own` counts those of this search: what missed in an earlier one aimed for another floor.
        """
        bookmaker = self._bookmaker()
        likely = UPWARDS[min(own, len(UPWARDS)) - 1] if own else SAFE
        found = self._outset.landscape.frontier(bookmaker.view.belief.mean, around=self._middle())
        origin = "correction" if self._trials else "frontier"
        return bookmaker.cheapest(found, likely=likely, origin=origin)

    def _downwards(
        self,
        bookmaker: Bookmaker,
        best: TrialResult,
        *,
        below: int,
        random: np.random.Generator,
    ) -> Iterator[Bet]:
        """Yield the best bet of every frontier that is looked at."""
        between = (int(REACH * best.memory_bits), min(int((1 - STEP) * below), below - 1))
        drawn = (bookmaker.view.belief.draw(random) for _ in range(DRAWS))
        for theta, origin in (
            (bookmaker.view.belief.mean, "correction"),
            *((theta, "exploration") for theta in drawn),
        ):
            found = self._outset.landscape.frontier(theta, around=best.allocation, between=between)
            bet = bookmaker.below(found, best=below, origin=origin)
            if bet is not None:
                yield bet

    def _middle(self) -> BitAllocation:
        """Return an allocation around which costs are told before any has held."""
        return self._spec.allocation([v.menu[len(v.menu) // 2] for v in self._spec.variables])
