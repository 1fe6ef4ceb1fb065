"""A search for the front stops what is dominated, and seldom anything else."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from search import front
from search import samplers
from search import study
from search.allocation import BitAllocation
from search.baseline import Baseline
from search.front import FrontRace
from search.front import Races
from search.pareto import pareto_front
from search.racing import Race
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_hits
from tests.contracts.networks import made_up_spec
from tests.contracts.noisy import NoisyNetwork

BASELINE = Baseline(images=400, correct=300, tolerance=0.02)
SMALL = Baseline(images=12, correct=8, tolerance=0.17)


def front_spec(sampler: str = "tpe", **changes: int) -> SearchSpec:
    return replace(made_up_spec(sampler=sampler, **changes), goal="front")  # type: ignore[arg-type]  # ints only


def complete(memory_bits: int, correct: int) -> TrialResult:
    lost, gained = max(0, 300 - correct), max(0, correct - 300)
    return TrialResult(
        number=memory_bits,
        allocation=BitAllocation(()),
        origin="test",
        memory_bits=memory_bits,
        hits=Hits(images=400, correct=correct, lost=lost, gained=gained),
        complete=True,
        constraint=(292 - correct) / 400,
        verdict=Verdict.HELD if correct >= 292 else Verdict.MISSED,
    )


def rounds(order: np.ndarray, batch: int) -> Iterator[Hits]:
    """Yield the totals after every batch of (images, 3) counts of right, lost and gained images."""
    for end in [*range(batch, len(order), batch), len(order)]:
        correct, lost, gained = (int(count) for count in order[:end].sum(axis=0))
        yield Hits(images=end, correct=correct, lost=lost, gained=gained)


def population(rng: np.random.Generator, *, lost: int, gained: int) -> np.ndarray:
    images = np.zeros((400, 3), dtype=int)
    images[:300, 0] = 1
    images[:lost] = (0, 1, 0)
    images[300 : 300 + gained] = (1, 0, 1)
    return rng.permutation(images)


def decided(race: FrontRace, order: np.ndarray) -> tuple[Verdict, int]:
    for hits in rounds(order, 20):
        if verdict := race.decide(hits):
            return verdict, hits.images
    raise AssertionError("all images give a verdict")


def against(correct: int) -> FrontRace:
    return FrontRace(Race.of(BASELINE, None), front.ahead_of(correct, BASELINE))


class TestAheadOf:
    def test_on_all_images_it_asks_for_one_image_more(self) -> None:
        for correct, lost, gained in itertools.product(range(13), range(9), range(5)):
            hits = Hits(images=12, correct=8 - lost + gained, lost=lost, gained=gained)
            ahead = front.ahead_of(correct, SMALL).decide(hits) is Verdict.HELD
            assert ahead == (hits.correct > correct)


class TestFrontRace:
    def test_what_can_no_longer_be_ahead_is_dominated(self) -> None:
        # 200 of 400 seen, 100 wrong: 300 at most, as many as the rival
        hits = Hits(images=200, correct=100, lost=50, gained=0)
        assert against(300).decide(hits) is Verdict.DOMINATED

    def test_what_is_clearly_ahead_is_still_seen_to_the_end(self) -> None:
        order = population(np.random.default_rng(0), lost=0, gained=20)
        assert decided(against(100), order) == (Verdict.HELD, 400)

    def test_nothing_stops_without_a_rival_and_the_floor_gives_the_verdict(self) -> None:
        alone = FrontRace(Race.of(BASELINE, None), None)
        rng = np.random.default_rng(0)
        assert decided(alone, population(rng, lost=200, gained=0)) == (Verdict.MISSED, 400)
        assert decided(alone, population(rng, lost=8, gained=0)) == (Verdict.HELD, 400)

    @pytest.mark.parametrize("lost, gained", [(0, 0), (60, 10), (150, 20)])
    def test_what_is_ahead_by_one_image_is_stopped_no_more_often_than_it_says(
        self, lost: int, gained: int
    ) -> None:
        rng = np.random.default_rng(lost)
        race = against(300 - lost + gained - 1)
        ended = [decided(race, population(rng, lost=lost, gained=gained))[0] for _ in range(200)]
        # 5 % of 200 and three standard errors
        assert ended.count(Verdict.DOMINATED) <= 10 + 3 * math.sqrt(200 * 0.05 * 0.95)

    def test_what_is_clearly_dominated_costs_a_fraction_of_the_images(self) -> None:
        rng = np.random.default_rng(1)
        ended = [decided(against(290), population(rng, lost=120, gained=5)) for _ in range(20)]
        assert {verdict for verdict, _ in ended} == {Verdict.DOMINATED}
        assert sum(images for _, images in ended) / 20 <= 100


class TestRaces:
    def races(self, goal: str) -> Races:
        spec = replace(made_up_spec(), baseline=BASELINE, goal=goal)
        races = Races(spec)
        for trial in (complete(10, 250), complete(20, 280), complete(30, 270)):
            races.learn(trial)
        return races

    @pytest.mark.parametrize("memory, rival", [(9, None), (10, 250), (25, 280), (99, 280)])
    def test_the_rival_is_the_most_accurate_that_needs_no_more(
        self, memory: int, rival: int | None
    ) -> None:
        race = self.races("front").race(memory)
        assert isinstance(race, FrontRace)
        assert (race.rival is None) == (rival is None)
        if race.rival is not None and rival is not None:
            # without a gain, so many may be lost that one more than the rival's are right
            assert 300 - race.rival.most_lost[0] == rival + 1

    def test_what_was_stopped_is_no_rival(self) -> None:
        races = self.races("front")
        races.learn(replace(complete(5, 300), complete=False, verdict=Verdict.DOMINATED))
        race = races.race(9)
        assert isinstance(race, FrontRace)
        assert race.rival is None

    def test_for_the_floor_all_trials_race_alike(self) -> None:
        races = self.races("floor")
        assert races.race(9) is races.race(99)


class TestStudy:
    """Whole searches for the front of a made-up network."""

    def test_the_front_of_a_space_that_is_searched_whole_is_that_of_brute_force(self) -> None:
        spec = front_spec(budget=4096)
        spec = replace(spec, menus=tuple(menu[1:8:2] for menu in spec.menus))
        every = [
            (spec.cost(allocation), made_up_hits(allocation))
            for allocation in study.enumerate_space(spec)
        ]
        expected = {
            (cost, right)
            for cost, right in every
            if not any(c <= cost and r >= right and (c, r) != (cost, right) for c, r in every)
        }
        trials = list(study.run(replace(spec, sampler="random"), made_up_evaluate))
        assert len(trials) == 4**4
        found = pareto_front(trials, goal="front")
        assert {(t.memory_bits, t.hits.correct) for t in found} == expected

    def test_what_is_dominated_stops_early_and_the_rest_does_not(self) -> None:
        trials = list(study.run(front_spec("random", budget=80), made_up_evaluate))
        stopped = [t for t in trials if t.verdict is Verdict.DOMINATED]
        assert len(stopped) > 20
        for trial in trials:
            assert trial.complete == (trial.verdict is not Verdict.DOMINATED)
            assert trial.complete == (trial.hits.images == 1000)
        for trial in stopped:
            before = [t for t in trials[: trial.number] if t.complete]
            right = made_up_hits(trial.allocation)
            assert any(
                t.memory_bits <= trial.memory_bits and t.hits.correct >= right for t in before
            )

    def test_the_verdict_of_a_complete_trial_is_the_floors(self) -> None:
        spec = front_spec("random", budget=60)
        for trial in study.run(spec, made_up_evaluate):
            if trial.complete:
                assert trial.feasible == (trial.hits.correct >= spec.baseline.needed)

    def test_proposals_need_not_be_smaller_than_what_holds(self) -> None:
        trials = list(study.run(front_spec("tpe", budget=60), made_up_evaluate))
        proposed = [t for t in trials if t.origin == "tpe"]
        best = min(t.memory_bits for t in trials[:20] if t.feasible)
        assert any(t.memory_bits > best for t in proposed)

    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_resumed_it_equals_the_uninterrupted(self, sampler: str) -> None:
        budget = 15 if sampler == "gp" else 24  # of which twelve are uniform; it is slow
        spec = front_spec(sampler, budget=budget)
        whole = list(study.run(spec, made_up_evaluate))
        assert len({t.allocation for t in whole}) == budget
        for stopped_after in (1, 9, budget - 2):
            history = whole[:stopped_after]
            assert history + list(study.run(spec, made_up_evaluate, history=history)) == whole

    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_a_small_space_is_searched_whole_by_every_sampler(self, sampler: str) -> None:
        spec = front_spec(sampler, budget=500)
        some = tuple((menu[1], menu[3]) for menu in spec.menus)
        spec = replace(spec, menus=(*some[:3], some[3][:1]))
        trials = list(study.run(spec, made_up_evaluate))
        assert len({trial.allocation for trial in trials}) == len(trials) == 2**3

    def test_of_noisy_images_nearly_all_of_the_front_is_kept(self) -> None:
        """Racing against seeing every trial to the end, on the same proposals."""
        lost = kept = 0
        for seed in range(6):
            evaluate = NoisyNetwork(seed).evaluate
            spec = front_spec("random", budget=60, seed=seed)
            raced = list(study.run(spec, evaluate))
            full = [
                replace(t, hits=sum(evaluate(t.allocation), Hits()), complete=True) for t in raced
            ]
            best = {t.number for t in pareto_front(full, goal="front")}
            found = {t.number for t in pareto_front(raced, goal="front")}
            lost, kept = lost + len(best - found), kept + len(best & found)
            images = sum(t.hits.images for t in raced)
            assert images < 0.8 * 60 * 1000
        assert kept > 50
        assert lost <= 0.05 * (kept + lost)
