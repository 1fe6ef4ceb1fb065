"""The front holds the feasible, complete trials that no other beats in memory and accuracy."""

from hypothesis import given
from hypothesis import strategies as st

from search.allocation import BitAllocation
from search.pareto import pareto_front
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

    def test_of_equals_the_earliest_stays(self) -> None:
        assert pareto_front([trial(3, 5, 60), trial(1, 5, 60)])[0].number == 1

    def test_infeasible_trials_are_left_out(self) -> None:
        assert pareto_front([trial(0, 1, 49)]) == ()

    def test_one_that_was_decided_early_neither_joins_nor_displaces(self) -> None:
        early = trial(1, 1, 100, complete=False)
        assert early.feasible
        assert pareto_front([trial(0, 2, 60), early]) == (trial(0, 2, 60),)
