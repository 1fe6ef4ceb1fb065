"""The front holds the complete trials, of a floor the feasible, that no other beats in both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.allocation import BitAllocation
from search.baseline import Baseline
from search.pareto import hypervolume
from search.pareto import pareto_front
from search.pareto import reference
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict


def trial(number: int, bits: int, correct: int, *, complete: bool = True) -> TrialResult:
    return TrialResult(
        number=number,
        allocation=BitAllocation(()),
        origin="test",
        memory_bits=bits,
        hits=Hits(images=100, correct=correct),
        complete=complete,
        constraint=(50 - correct) / 100,
        verdict=Verdict.HELD if correct >= 50 else Verdict.MISSED,
    )


@st.composite
def trials(draw: st.DrawFn) -> list[TrialResult]:
    pairs = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(40, 60), st.booleans())))
    return [trial(i, bits, right, complete=done) for i, (bits, right, done) in enumerate(pairs)]


def dominates(a: TrialResult, b: TrialResult) -> bool:
    no_worse = a.memory_bits <= b.memory_bits and a.hits.correct >= b.hits.correct
    return no_worse and (a.memory_bits, a.hits.correct) != (b.memory_bits, b.hits.correct)


class TestParetoFront:
    @given(trials())
    def test_it_is_exactly_the_non_dominated_of_those_that_held_on_all_images(
        self, given_: list[TrialResult]
    ) -> None:
        feasible = [t for t in given_ if t.feasible and t.complete]
        expected = {
            (t.memory_bits, t.hits.correct)
            for t in feasible
            if not any(dominates(other, t) for other in feasible)
        }
        front = pareto_front(given_)
        assert {(t.memory_bits, t.hits.correct) for t in front} == expected
        assert len(front) == len(expected)

    @given(trials())
    def test_it_can_be_built_up_one_trial_at_a_time(self, given_: list[TrialResult]) -> None:
        front: tuple[TrialResult, ...] = ()
        for one in given_:
            front = pareto_front((*front, one))
        assert front == pareto_front(given_)

    @given(trials())
    def test_for_the_goal_of_the_front_the_floor_does_not_matter(
        self, given_: list[TrialResult]
    ) -> None:
        full = [t for t in given_ if t.complete]
        expected = {
            (t.memory_bits, t.hits.correct)
            for t in full
            if not any(dominates(other, t) for other in full)
        }
        front = pareto_front(given_, goal="front")
        assert {(t.memory_bits, t.hits.correct) for t in front} == expected

    def test_of_equals_the_earliest_stays(self) -> None:
        assert pareto_front([trial(3, 5, 60), trial(1, 5, 60)])[0].number == 1

    def test_infeasible_trials_are_left_out(self) -> None:
        assert pareto_front([trial(0, 1, 49)]) == ()

    def test_one_that_was_decided_early_neither_joins_nor_displaces(self) -> None:
        early = trial(1, 1, 100, complete=False)
        assert early.feasible
        assert pareto_front([trial(0, 2, 60), early]) == (trial(0, 2, 60),)


class TestHypervolume:
    """Against areas worked out by hand: X = 0.8, so accuracy counts from 0.4; 10 bits in float."""

    BASELINE = Baseline(images=100, correct=80, tolerance=0.1)

    def share(self, *points: tuple[int, int]) -> float:
        front = [trial(i, bits, correct) for i, (bits, correct) in enumerate(points)]
        return hypervolume(front, baseline=self.BASELINE, float_cost=10)

    def test_the_reference_is_half_of_the_float_accuracy(self) -> None:
        assert reference(self.BASELINE) == pytest.approx(0.4)

    def test_of_no_trial_it_is_nothing(self) -> None:
        assert self.share() == 0

    def test_one_trial_dominates_a_rectangle(self) -> None:
        # from 2 to 10 bits, from 40 to 60 % of 40 to 80 %
        assert self.share((2, 60)) == pytest.approx(0.8 * 0.5)

    def test_steps_add_up(self) -> None:
        # (4 - 1) x 10 and (6 - 4) x 30 and (10 - 6) x 40, of 10 x 40
        assert self.share((1, 50), (4, 70), (6, 80)) == pytest.approx((30 + 60 + 160) / 400)

    def test_what_lies_outside_the_box_adds_nothing(self) -> None:
        inside = self.share((2, 60))
        assert self.share((1, 30), (2, 60)) == pytest.approx(inside)
        assert self.share((2, 60), (12, 75)) == pytest.approx(inside)

    def test_more_accurate_than_float_counts_as_float(self) -> None:
        assert self.share((5, 90)) == pytest.approx(self.share((5, 80)))

    @given(trials(), trials())
    def test_one_more_trial_never_lessens_it(
        self, some: list[TrialResult], more: list[TrialResult]
    ) -> None:
        baseline = Baseline(images=100, correct=55, tolerance=0.1)
        less, all_ = (
            hypervolume(pareto_front(t, goal="front"), baseline=baseline, float_cost=8)
            for t in (some, [*some, *more])
        )
        assert 0 <= less <= all_ + 1e-12 <= 1 + 2e-12
