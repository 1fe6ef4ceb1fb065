"""The greedy method evaluates what its description says, and ends where its bisection does."""

from collections.abc import Callable
from math import ceil
from math import log2

import pytest

from benchmarks.search.greedy import greedy
from search.allocation import BitAllocation
from search.cost import memory_bits
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import ELEMENTS
from tests.contracts.networks import SENSITIVITY
from tests.contracts.networks import made_up_spec

WEIGHTS = {f"p{i}": weight for i, weight in enumerate(SENSITIVITY)}


def evaluated(spec: SearchSpec) -> Callable[[BitAllocation, str], TrialResult]:
    """Return an evaluation in which quantized points add up their losses, others lose nothing."""

    def judge(allocation: BitAllocation, phase: str) -> TrialResult:
        loss = sum(WEIGHTS[p] * 4.0 ** (1 - c.bit_width) for p, c in allocation.items())
        correct = round(900 * max(0.1, 1 - 0.2 * loss))
        held = correct >= spec.baseline.needed
        return TrialResult(
            number=0,
            allocation=allocation,
            origin=phase,
            memory_bits=memory_bits(spec.points, allocation),
            hits=Hits(images=1000, correct=correct, lost=900 - correct),
            complete=True,
            constraint=0.0 if held else 0.1,
            verdict=Verdict.HELD if held else Verdict.MISSED,
        )

    return judge


def phases(trials: list[TrialResult]) -> dict[str, int]:
    return {t.origin: sum(t.origin == o.origin for o in trials) for t in trials}


class TestGreedy:
    def test_it_takes_as_many_evaluations_as_described(self) -> None:
        spec = made_up_spec()
        trials = list(greedy(spec, evaluated(spec)))
        points, options = len(ELEMENTS), 16
        steps = points * (options - 1)
        found = phases(trials)
        assert (found["uniform"], found["phase 1"], found["answer"]) == (options, steps, 1)
        assert 2 <= found["phase 2"] <= 2 + ceil(log2(steps - 1))

    def test_its_answer_holds_and_one_step_more_does_not(self) -> None:
        spec = made_up_spec()
        trials = list(greedy(spec, evaluated(spec)))
        bisected = [t for t in trials if t.origin == "phase 2"]
        answer = trials[-1]
        assert answer.feasible
        assert answer.allocation in [t.allocation for t in bisected if t.feasible]
        assert answer.memory_bits < spec.cost(trials[15].allocation)

    def test_phase_1_quantizes_one_point_at_a_time(self) -> None:
        spec = made_up_spec()
        trials = list(greedy(spec, evaluated(spec)))
        alone = [t for t in trials if t.origin == "phase 1"]
        assert {len(list(t.allocation.points())) for t in alone} == {1}

    @pytest.mark.parametrize(
        "tolerance, bit_widths",
        [pytest.param(0.85, (1, 2, 3), id="the cheapest holds"), (0.001, (1, 2))],
    )
    def test_where_there_is_nothing_to_decide_it_ends_with_the_uniform_ones(
        self, tolerance: float, bit_widths: tuple[int, ...]
    ) -> None:
        spec = made_up_spec(tolerance=tolerance, bit_widths=bit_widths)
        trials = list(greedy(spec, evaluated(spec)))
        assert phases(trials) == {"uniform": 2 * len(bit_widths)}
