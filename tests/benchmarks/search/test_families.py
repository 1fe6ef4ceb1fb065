"""A family is walked from the cheapest up, and answers with the first that holds."""

from itertools import pairwise

from benchmarks.search.families import GROWTH
from benchmarks.search.families import walked
from search.allocation import BitAllocation
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from search.uniform import uniform_allocations
from tests.contracts.networks import made_up_spec

SPEC = made_up_spec()
FAMILY = [*uniform_allocations(SPEC)]
LARGEST = max(map(SPEC.cost, FAMILY))


def walk(least_that_holds: float) -> list[TrialResult]:
    def evaluated(allocation: BitAllocation) -> TrialResult:
        held = SPEC.cost(allocation) >= least_that_holds
        return TrialResult(
            number=0,
            allocation=allocation,
            origin="test",
            memory_bits=SPEC.cost(allocation),
            hits=Hits(images=1),
            complete=True,
            constraint=0.0 if held else 1.0,
            verdict=Verdict.HELD if held else Verdict.MISSED,
        )

    return list(walked([*FAMILY, *FAMILY], spec=SPEC, evaluated=evaluated))


class TestWalked:
    def test_nothing_cheaper_than_the_answer_is_left_out(self) -> None:
        trials = walk(LARGEST / 2)
        missed = [trial.allocation for trial in trials if not trial.feasible]
        cheaper = [a for a in FAMILY if SPEC.cost(a) < LARGEST / 2]
        assert sorted(missed, key=repr) == sorted(cheaper, key=repr)

    def test_beyond_the_answer_it_goes_on_to_the_largest_in_strides(self) -> None:
        held = [trial.memory_bits for trial in walk(LARGEST / 2) if trial.feasible]
        assert held[-1] == LARGEST
        assert all(b >= a * GROWTH for a, b in pairwise(held))

    def test_where_nothing_holds_all_are_looked_at_once(self) -> None:
        assert len(walk(LARGEST + 1)) == len(FAMILY)
