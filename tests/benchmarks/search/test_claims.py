"""What is claimed follows from the lines alone, and a claim that is not held says so."""

import math
from typing import Any

import pytest

from benchmarks.search import claims
from tests.benchmarks.search.made_up import PASS
from tests.benchmarks.search.made_up import SETUP
from tests.benchmarks.search.made_up import line

TPE_IMAGES = SETUP + claims.EVALUATIONS * PASS


def told(number: int, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    found = claims.summary(lines, ours="mine", simulated=None)["claims"]
    return [claim for claim in found if claim["claim"] == number]


class TestLatest:
    def test_of_two_runs_the_later_counts(self) -> None:
        lines = [line("tpe", certified=3), line("lin"), line("tpe", certified=2)]
        assert [claims.certified(x) for x in claims.latest(lines)] == [2, math.inf]


class TestBest:
    def test_it_is_what_held_by_then(self) -> None:
        some = line("tpe", trace=[(300, 80), (500, 60)])
        assert [claims.best(some, images=n) for n in (300, 499, 500)] == [80, 80, 60]

    def test_before_anything_holds_it_is_the_float_network(self) -> None:
        assert claims.best(line("tpe", trace=[(300, 80)]), images=299) == 320


class TestReached:
    def test_less_memory_counts_as_well(self) -> None:
        assert claims.reached(line("mine", trace=[(300, 80), (500, 60)]), 70) == 500

    def test_never_is_infinity(self) -> None:
        assert claims.reached(line("mine", trace=[(300, 80)]), 79) == math.inf


class TestAgainstTPE:
    def test_the_share_is_of_the_images_of_its_evaluations(self) -> None:
        most = int(TPE_IMAGES * claims.SHARE_OF_TPE)
        for images, held in ((most, True), (most + 1, False)):
            mine = line("mine", trace=[(most // 2, 90), (images, 60)])
            (claim,) = told(1, mine, line("tpe", trace=[(5000, 70)]))
            assert claim["figure"] == images / TPE_IMAGES
            assert claim["held"] == held

    def test_what_it_found_later_does_not_count(self) -> None:
        tpe = line("tpe", trace=[(5000, 70), (TPE_IMAGES + 1, 10)])
        (claim,) = told(1, line("mine", trace=[(1000, 60)]), tpe)
        assert claim["figure"] == 1000 / TPE_IMAGES

    def test_memory_that_is_never_reached_is_no_figure_and_not_held(self) -> None:
        (claim,) = told(1, line("mine", trace=[(400, 90)]), line("tpe", trace=[(5000, 70)]))
        assert (claim["figure"], claim["held"], claim["every"]) == (None, False, [None])


class TestAgainstGreedy:
    def test_all_of_its_images_count_but_those_of_certification(self) -> None:
        greedy = line("greedy", trace=[(900, 60)])
        (claim,) = told(2, line("mine", trace=[(250, 60)]), greedy)
        assert claim["figure"] == 250 / (SETUP + 850)


class TestExcess:
    def test_it_is_relative_to_the_smallest_of_all_methods(self) -> None:
        mine = line("mine", certified=50, checkpoints=(66, 55))
        claims_of_3 = told(3, mine, line("lin", certified=70), line("tpe", certified=60))
        assert [claim["figure"] for claim in claims_of_3] == [66 / 50, 55 / 50]
        assert [claim["held"] for claim in claims_of_3] == [False, False]

    def test_an_answer_of_a_checkpoint_counts_as_certified(self) -> None:
        mine = line("mine", certified=60, checkpoints=(40, 60))
        assert [claim["figure"] for claim in told(3, mine)] == [1, 1.5]

    def test_nothing_certified_is_not_held_while_another_has_something(self) -> None:
        assert [c["held"] for c in told(3, line("mine"), line("lin", certified=70))] == [False] * 2


class TestBars:
    def test_each_bar_that_is_passed_counts(self) -> None:
        bars = [line("uniform", certified=80), line("solver", certified=60), line("lin")]
        (claim,) = told(4, line("mine", certified=70), *bars)
        assert (claim["figure"], claim["held"]) == (1, False)

    def test_as_little_as_the_bar_is_held(self) -> None:
        (claim,) = told(4, line("mine", certified=70), line("uniform", certified=70))
        assert claim["held"]

    def test_one_seed_is_enough_to_miss_it(self) -> None:
        lines = [
            line(method, certified=bits, seed=seed)
            for seed, mine in enumerate((70, 70, 81))
            for method, bits in (("mine", mine), ("uniform", 80))
        ]
        (claim,) = told(4, *lines)
        assert (claim["seeds"], claim["held"]) == (3, False)


class TestSummary:
    def test_without_ours_nothing_is_claimed(self) -> None:
        assert claims.summary([line("tpe")], ours="mine", simulated=None)["claims"] == []

    def test_a_simulation_is_passed_on(self) -> None:
        simulated = {"claim": 5, "held": True}
        found = claims.summary([line("tpe")], ours="mine", simulated=simulated)
        assert found["claims"] == [simulated]

    def test_medians_are_over_seeds(self) -> None:
        lines = [line("tpe", certified=bits, seed=seed) for seed, bits in enumerate((30, 50, 20))]
        found = claims.summary(lines, ours="mine", simulated=None)["cases"]["c"]["tpe"]
        assert found["certified_bits"] == 3.0
        assert found["certified_bits_range"] == [2.0, 5.0]

    @pytest.mark.parametrize("bits, counted", [((None, 40), 1), ((None, None), 0)])
    def test_what_is_not_certified_is_told(self, bits: tuple[Any, ...], counted: int) -> None:
        lines = [line("tpe", certified=b, seed=seed) for seed, b in enumerate(bits)]
        found = claims.summary(lines, ours="mine", simulated=None)["cases"]["c"]["tpe"]
        assert (found["certified"], found["certified_bits"]) == (counted, None)
