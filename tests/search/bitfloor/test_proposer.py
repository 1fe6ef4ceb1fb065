"""Proposals follow from the trials alone, are new, aim below the best, and soon get there."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest

from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.baseline import Certificate
from search.bitfloor.outset import Outset
from search.bitfloor.proposer import Proposer
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.uniform import uniform_allocations
from tests.search.bitfloor.simulated import IMAGES
from tests.search.bitfloor.simulated import Simulated
from tests.search.bitfloor.simulated import trial

SEARCH = Simulated()
SPEC = SEARCH.spec()
OUTSET = Outset.of(SPEC)
TRIALS = list(study.run(SPEC, SEARCH.evaluate))


def proposer(history: Sequence[TrialResult] = (), *, outset: Outset = OUTSET) -> Proposer:
    found = Proposer(outset)
    for one in history:
        found.learn(one)
    return found


def proposal(
    history: Sequence[TrialResult] = (), *, attempt: int = 0, outset: Outset = OUTSET
) -> Proposal:
    found = proposer(history, outset=outset).propose(number=len(history), attempt=attempt)
    assert found is not None
    return found


def missed(allocation: BitAllocation, number: int) -> TrialResult:
    """Return a trial that lost every tenth image."""
    correct = SPEC.baseline.correct - IMAGES // 10
    hits = Hits(images=IMAGES, correct=correct, lost=IMAGES // 10, gained=0)
    return trial(SPEC, allocation, hits, number=number)


class TestPropose:
    @pytest.mark.parametrize("after", [0, 1, 4, 9, 14])
    def test_the_same_history_gives_the_same_proposal(self, after: int) -> None:
        first = proposal(TRIALS[:after])
        assert proposal(TRIALS[:after], outset=Outset.of(SEARCH.spec())) == first

    def test_asking_twice_changes_nothing(self) -> None:
        asked = proposer(TRIALS[:6])
        assert asked.propose(number=6, attempt=0) == asked.propose(number=6, attempt=0)

    def test_it_is_never_one_that_was_seen(self) -> None:
        for after in range(len(TRIALS)):
            seen = {one.allocation for one in TRIALS[:after]}
            assert proposal(TRIALS[:after]).allocation not in seen

    def test_it_is_cheaper_than_the_best_that_held(self) -> None:
        for after in range(1, len(TRIALS)):
            held = [one.memory_bits for one in TRIALS[:after] if one.feasible]
            if held:
                assert SPEC.cost(proposal(TRIALS[:after]).allocation) < min(held)

    def test_another_seed_explores_otherwise(self) -> None:
        other = Outset.of(SEARCH.spec(seed=1))
        afters = range(1, 12)
        mine = [proposal(TRIALS[:n]).allocation for n in afters]
        theirs = [proposal(TRIALS[:n], outset=other).allocation for n in afters]
        assert mine != theirs


class TestOrigins:
    def test_the_first_comes_from_the_measured_frontier(self) -> None:
        assert proposal().origin == "frontier"

    def test_misses_are_followed_by_safer_and_dearer_corrections(self) -> None:
        history: list[TrialResult] = []
        for number in range(5):
            found = proposal(history)
            assert found.origin == ("correction" if number else "frontier")
            history.append(missed(found.allocation, number))
        costs = [one.memory_bits for one in history]
        assert costs == sorted(costs)
        assert costs[-1] > costs[0]

    def test_what_others_would_choose_is_taken_where_it_is_the_better_bet(self) -> None:
        dear = [*uniform_allocations(SPEC)][-1]
        held = trial(SPEC, dear, SEARCH.hits(dear), number=0)
        assert held.feasible
        # far below the best, where no frontier is looked at yet
        assert proposal([held]).origin in {"uniform", "lin"}
        alone = replace(OUTSET, known=())
        assert proposal([held], outset=alone).origin in {"correction", "exploration"}

    def test_of_several_bets_the_largest_gain_is_taken(self) -> None:
        *_, smaller, dear = uniform_allocations(SPEC)
        held = trial(SPEC, dear, SEARCH.hits(dear), number=0)
        good = next(
            a
            for a in uniform_allocations(SPEC)
            if trial(SPEC, a, SEARCH.hits(a), number=0).feasible
        )
        assert SPEC.cost(good) < 0.8 * SPEC.cost(smaller)
        known = (Proposal(smaller, "a little"), Proposal(good, "a lot"))
        outset = replace(OUTSET, known=known)
        assert proposal([held], outset=outset) == known[1]
        outset = replace(OUTSET, known=known[::-1])
        assert proposal([held], outset=outset) == known[1]

    def test_afterwards_come_corrections_and_explorations(self) -> None:
        origins = {one.origin for one in TRIALS}
        assert {"frontier", "correction", "exploration"} <= origins
        ours = {"frontier", "correction", "exploration", "uniform", "lin"}
        assert origins <= ours | {"neighbour", "tpe"}


class TestWithoutAnythingLeft:
    POINTS = (QuantizationPoint("p", 10),)
    MENU = (QuantizerConfig("affine", 2), QuantizerConfig("affine", 4))

    def spec(self) -> SearchSpec:
        return SearchSpec(
            points=self.POINTS,
            menus=(self.MENU,),
            baseline=Baseline(images=IMAGES, correct=1800, tolerance=0.02),
            sampler="bitfloor",
            budget=2,
            seed=0,
        )

    def test_below_the_cheapest_there_is_no_proposal(self) -> None:
        spec = self.spec()
        cheapest = BitAllocation.of({"p": self.MENU[0]})
        held = trial(spec, cheapest, Hits(images=IMAGES, correct=1800), number=0)
        outset = Outset.of(spec)
        assert proposer([held], outset=outset).propose(number=1, attempt=0) is None

    @pytest.mark.parametrize("elements", [1, 2, 3, 5])
    def test_the_smallest_memories_can_be_searched_below(self, elements: int) -> None:
        spec = replace(self.spec(), points=(QuantizationPoint("p", elements),))
        dearest = BitAllocation.of({"p": self.MENU[1]})
        held = trial(spec, dearest, Hits(images=IMAGES, correct=1800), number=0)
        found = proposer([held], outset=Outset.of(spec)).propose(number=1, attempt=0)
        assert found is not None
        assert found.allocation.get("p") == self.MENU[0]

    def test_where_all_has_missed_there_is_none_either(self) -> None:
        spec = self.spec()
        hits = Hits(images=IMAGES, correct=1000, lost=800)
        history = [
            trial(spec, BitAllocation.of({"p": option}), hits, number=number)
            for number, option in enumerate(self.MENU)
        ]
        outset = Outset.of(spec)
        assert proposer(history, outset=outset).propose(number=2, attempt=0) is None


class TestSearch:
    @staticmethod
    def best(search: Simulated, spec: SearchSpec) -> int:
        return min(one.memory_bits for one in study.run(spec, search.evaluate) if one.feasible)

    @pytest.mark.parametrize("seed", [0, 1])
    def test_ten_trials_beat_sixty_of_tpe(self, seed: int) -> None:
        search = Simulated(seed=seed)
        ours = self.best(search, search.spec(budget=10))
        theirs = self.best(search, search.spec(sampler="tpe", budget=60))
        assert ours < theirs

    @pytest.mark.parametrize("off", [(6.0, 6.0, 6.0, 6.0, 6.0, 6.0), (8.0, 0.5, 1, 0.5, 4.0, 1)])
    def test_energies_that_measured_wrong_are_corrected(self, off: tuple[float, ...]) -> None:
        search = Simulated(off=off)
        told = search.spec(budget=15)
        energies = {
            point: {o: energy * factor for o, energy in by_option.items()}
            for (point, by_option), factor in zip(search.energies.items(), off, strict=True)
        }
        assert told.sensitivity is not None
        right = replace(told, sensitivity=replace(told.sensitivity, energies=energies))
        assert self.best(search, told) <= 1.04 * self.best(search, right)

    def test_it_finds_its_way_without_a_sensitivity(self) -> None:
        blind = SEARCH.spec(measured=False, budget=25)
        uniform = min(
            SPEC.cost(a)
            for a in uniform_allocations(SPEC)
            if trial(SPEC, a, SEARCH.hits(a), number=0).feasible
        )
        assert self.best(SEARCH, blind) < 0.97 * uniform

    @pytest.mark.parametrize("stopped_after", [1, 5, 10])
    def test_resumed_it_goes_on_as_if_it_had_never_stopped(self, stopped_after: int) -> None:
        history = list(islice(study.run(SPEC, SEARCH.evaluate), stopped_after))
        rest = study.run(SEARCH.spec(), SEARCH.evaluate, history=history)
        assert [*history, *islice(rest, 3)] == TRIALS[: stopped_after + 3]

    def test_a_certificate_asks_for_safer_allocations(self) -> None:
        certified = SEARCH.spec(certificate=Certificate(images=IMAGES, confidence=0.95))
        first = proposal(outset=Outset.of(certified)).allocation
        assert SPEC.cost(first) > SPEC.cost(proposal().allocation)
