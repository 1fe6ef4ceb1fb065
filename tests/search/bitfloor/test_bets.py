"""A bet is new, cheaper than the best, and the one whose saving times its likelihood is largest."""

from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from search import ladder
from search.allocation import BitAllocation
from search.bitfloor import belief
from search.bitfloor.bets import Bookmaker
from search.bitfloor.outlook import Outlook
from search.bitfloor.outset import Outset
from search.bitfloor.view import View
from search.bitfloor.view import weighed
from search.cost import PeakActivationMemory
from search.frontier import Frontier
from search.frontier_fold import Places
from search.samplers import Proposal
from search.uniform import uniform_allocations
from tests.search.bitfloor.simulated import Simulated

SEARCH = Simulated()
SPEC = SEARCH.spec()
OUTSET = Outset.of(SPEC)
LANDSCAPE = OUTSET.landscape
PRIOR = belief.prior(6)
NOTHING: Places = np.empty((0, 6), dtype=np.int32)
FRONTIER = LANDSCAPE.frontier(np.zeros(6), around=LANDSCAPE.allocation((3,) * 6))


def bookmaker(seen: Collection[BitAllocation] = ()) -> Bookmaker:
    outlook = Outlook(OUTSET.expectation, weighed(LANDSCAPE, PRIOR, options=NOTHING), [])
    return Bookmaker(View(LANDSCAPE, PRIOR, outlook), seen)


def gains(best: int) -> dict[BitAllocation, float]:
    """Return the gain of every allocation of the frontier that is cheaper."""
    cheaper = FRONTIER.costs < best
    likely = bookmaker().likely(FRONTIER.options[cheaper])
    allocations = [LANDSCAPE.allocation(row) for row in FRONTIER.options[cheaper].tolist()]
    return {a: p * (1 - SPEC.cost(a) / best) for a, p in zip(allocations, likely, strict=True)}


class TestWeighed:
    def test_energies_are_those_that_are_believed(self) -> None:
        options = FRONTIER.options[::50]
        found = weighed(LANDSCAPE, PRIOR, options=options)
        for i, row in enumerate(options.tolist()):
            energies = LANDSCAPE.of_options(row)
            (mean,), (deviation,), _ = PRIOR.log_energies(energies[None])
            assert found.log_energy[i] == pytest.approx(mean)
            assert found.deviation[i] == pytest.approx(deviation)
            assert found.shares[i] == pytest.approx(energies / energies.sum())

    def test_none_are_weighed_without_a_word(self) -> None:
        assert weighed(LANDSCAPE, PRIOR, options=NOTHING).log_energy.shape == (0,)


class TestBelow:
    #: some allocations of the frontier cost less, and some more
    BEST = int(np.median(FRONTIER.costs))

    def below(self, *, seen: Collection[BitAllocation] = (), best: int = BEST) -> tuple[float, int]:
        bet = bookmaker(seen).below(FRONTIER, best=best, origin="test")
        assert bet is not None
        assert bet.proposal.origin == "test"
        assert bet.proposal.allocation not in seen
        return bet.gain, SPEC.cost(bet.proposal.allocation)

    def test_it_gains_about_as_much_as_the_best_of_all(self) -> None:
        # of long frontiers some are looked at, spread evenly
        gain, cost = self.below()
        assert cost < self.BEST
        assert gain == pytest.approx(max(gains(self.BEST).values()), rel=0.02)

    def test_what_was_seen_is_passed_over(self) -> None:
        by_gain = sorted(gains(self.BEST).items(), key=lambda pair: -pair[1])
        seen = {allocation for allocation, _ in by_gain[:30]}
        gain, _ = self.below(seen=seen)
        assert gain <= by_gain[30][1] * (1 + 1e-9)  # sums in another order

    def test_there_is_none_below_the_cheapest(self) -> None:
        cheapest = int(FRONTIER.costs[0])
        assert bookmaker().below(FRONTIER, best=cheapest, origin="test") is None

    def test_where_all_were_seen_there_is_none(self) -> None:
        few = Frontier(FRONTIER.costs[:5], FRONTIER.scores[:5], FRONTIER.options[:5], 0.0)
        seen = {LANDSCAPE.allocation(row) for row in few.options.tolist()}
        assert bookmaker(seen).below(few, best=self.BEST, origin="test") is None

    def test_costs_are_asked_of_the_objective_where_it_is_no_sum(self) -> None:
        # raising one point of the second step costs nothing, raising all of them makes it the peak
        names = [point.name for point in SEARCH.points]
        schedule = (frozenset(names[:2]), frozenset(names[2:]))
        spec = SEARCH.spec(objective=PeakActivationMemory(SEARCH.points, schedule))
        landscape = Outset.of(spec).landscape
        around = landscape.allocation((3, 3, 4, 4, 4, 4))
        best = spec.cost(around)
        found = landscape.frontier(np.zeros(6), around=around, between=(best // 2, best - 1))
        exact = [spec.cost(landscape.allocation(row)) for row in found.options.tolist()]
        assert max(exact) >= best
        outlook = Outlook(OUTSET.expectation, weighed(landscape, PRIOR, options=NOTHING), [])
        bookmaker = Bookmaker(View(landscape, PRIOR, outlook), ())
        bet = bookmaker.below(found, best=best, origin="test")
        assert bet is None or spec.cost(bet.proposal.allocation) < best


class TestGains:
    BEST = 900

    def gain(
        self, likely: float, cost: int, *, standing: Sequence[tuple[float, float]] = ()
    ) -> float:
        """Return the gain of one bet where certifying nothing would cost 1,000."""
        found = replace(bookmaker(), standing=standing, nothing=1000).gains(
            np.array([likely]), np.array([cost]), best=self.BEST
        )
        return float(found[0])

    def test_it_is_what_the_ladder_of_what_held_gains_as_a_share_of_the_best(self) -> None:
        standing = ((0.9, 200.0), (0.5, 300.0))
        (added,) = ladder.gains(np.array([0.7]), np.array([280.0]), standing=standing)
        assert added > 0
        assert self.gain(0.7, 720, standing=standing) == pytest.approx(added / self.BEST)

    def test_where_nothing_stands_it_is_what_is_saved_times_how_likely(self) -> None:
        assert self.gain(0.3, 600) == pytest.approx(0.3 * 400 / self.BEST)


class TestKnown:
    KNOWN = [Proposal(a, "uniform") for a in uniform_allocations(SPEC)]  # noqa: RUF012  # read only
    BEST = SPEC.cost(KNOWN[-1].allocation)

    def test_only_new_cheaper_and_likely_enough_ones_are_bets(self) -> None:
        seen = {self.KNOWN[7].allocation}
        bets = [*bookmaker(seen).known(self.KNOWN, best=self.BEST, hope=0.1)]
        found = {bet.proposal.allocation for bet in bets}
        assert found
        for proposal in self.KNOWN:
            allocation = proposal.allocation
            options = np.array([LANDSCAPE.options(allocation)], dtype=np.int32)
            is_bet = (
                allocation not in seen
                and SPEC.cost(allocation) < self.BEST
                and bookmaker().likely(options)[0] >= 0.1
            )
            assert (allocation in found) == is_bet
        assert {bet.proposal.origin for bet in bets} == {"uniform"}

    def test_a_gain_is_what_is_saved_times_how_likely(self) -> None:
        for bet in bookmaker().known(self.KNOWN, best=self.BEST, hope=0.1):
            allocation = bet.proposal.allocation
            options = np.array([LANDSCAPE.options(allocation)], dtype=np.int32)
            saved = 1 - SPEC.cost(allocation) / self.BEST
            assert bet.gain == pytest.approx(saved * bookmaker().likely(options)[0])


class TestCheapest:
    def likely(self, proposal: Proposal | None) -> float:
        assert proposal is not None
        options = np.array([LANDSCAPE.options(proposal.allocation)], dtype=np.int32)
        return float(bookmaker().likely(options)[0])

    @pytest.mark.parametrize("likely", [0.3, 0.8, 0.97])
    def test_it_is_just_as_likely_as_was_asked(self, likely: float) -> None:
        found = bookmaker().cheapest(FRONTIER, likely=likely, origin="test")
        assert likely <= self.likely(found) < likely + 0.03

    def test_the_likelier_the_dearer(self) -> None:
        proposals = [
            bookmaker().cheapest(FRONTIER, likely=likely, origin="test")
            for likely in (0.2, 0.6, 0.95)
        ]
        costs = [SPEC.cost(p.allocation) for p in proposals if p is not None]
        assert costs == sorted(set(costs))
        assert len(costs) == 3

    def test_where_none_is_likely_enough_it_is_the_likeliest(self) -> None:
        poor = Frontier(FRONTIER.costs[:9], FRONTIER.scores[:9], FRONTIER.options[:9], 0.0)
        found = bookmaker().cheapest(poor, likely=0.9, origin="test")
        assert self.likely(found) == pytest.approx(bookmaker().likely(poor.options).max())

    def test_what_was_seen_is_passed_over_until_all_is(self) -> None:
        poor = Frontier(FRONTIER.costs[:3], FRONTIER.scores[:3], FRONTIER.options[:3], 0.0)
        seen: set[BitAllocation] = set()
        for _ in range(3):
            found = bookmaker(seen).cheapest(poor, likely=0.9, origin="test")
            assert found is not None
            assert found.allocation not in seen
            seen.add(found.allocation)
        assert bookmaker(seen).cheapest(poor, likely=0.9, origin="test") is None
