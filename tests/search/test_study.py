"""A study spends its budget well: no repeats, early verdicts, ever fewer bits above the floor."""

from collections.abc import Iterator

import pytest

from search import cost
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.pareto import pareto_front
from search.trial import Hits
from search.uniform import uniform_option
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_hits
from tests.contracts.networks import made_up_spec


def hopeless(allocation: BitAllocation) -> Iterator[Hits]:
    """Evaluate to nothing right at all."""
    assert allocation.configs
    for _ in range(10):
        yield Hits(images=100, correct=0, lost=90, gained=0)


class TestRun:
    def test_a_small_space_is_searched_whole_and_no_further(self) -> None:
        spec = made_up_spec(bit_widths=(4, 8), quantizers=("affine",), budget=500)
        trials = list(study.run(spec, made_up_evaluate))
        assert len(trials) == len({t.allocation for t in trials}) == 2**4

    def test_the_best_saves_at_least_as_much_as_the_best_uniform(self) -> None:
        spec = made_up_spec(budget=80)
        trials = list(study.run(spec, made_up_evaluate))
        best = min(t.memory_bits for t in trials if t.feasible)
        uniform = min(
            cost.memory_bits(spec.points, allocation)
            for option in spec.menus[0]
            if made_up_hits(allocation := BitAllocation.uniform(spec.points, option))
            >= spec.baseline.needed
        )
        assert best < uniform

    def test_the_smallest_uniform_that_holds_is_found_whatever_the_order(self) -> None:
        # accuracy that does not grow with bits: only 3 and 8 bits hold
        def odd(allocation: BitAllocation) -> Iterator[Hits]:
            option = uniform_option(allocation)
            right = 900 if option in {QuantizerConfig("affine", b) for b in (3, 8)} else 0
            yield Hits(images=1000, correct=right, lost=900 - right, gained=0)

        trials = list(study.run(made_up_spec(budget=30), odd))
        held = [dict(t.allocation.items())["p0"] for t in trials if t.feasible]
        assert min(option.bit_width for option in held) == 3

    def test_a_hopeless_trial_stops_as_soon_as_the_floor_is_out_of_reach(self) -> None:
        spec = made_up_spec(budget=3)
        # 1,000 images of which 880 must be right: 121 wrong ones decide
        assert [t.hits.images for t in study.run(spec, hopeless)] == [200, 200, 200]

    def test_images_after_the_verdict_are_never_evaluated(self) -> None:
        evaluated = 0

        def counting(allocation: BitAllocation) -> Iterator[Hits]:
            nonlocal evaluated
            for hits in hopeless(allocation):
                evaluated += hits.images
                yield hits

        list(study.run(made_up_spec(budget=1), counting))
        assert evaluated == 200

    def test_an_early_verdict_is_infeasible_and_says_so(self) -> None:
        trial = next(study.run(made_up_spec(), hopeless))
        assert not trial.complete
        assert not trial.feasible
        assert trial.constraint == pytest.approx(0.88)

    def test_a_complete_trial_is_feasible_exactly_from_the_needed_count_on(self) -> None:
        spec = made_up_spec(budget=1)
        for right in (spec.baseline.needed - 1, spec.baseline.needed):

            def exact(_: BitAllocation, right: int = right) -> Iterator[Hits]:
                yield Hits(images=1000, correct=right, lost=900 - right, gained=0)

            trial = next(study.run(spec, exact))
            assert trial.feasible == (right == spec.baseline.needed)

    def test_once_something_holds_only_fewer_bits_are_proposed(self) -> None:
        spec = made_up_spec(budget=80)
        best = None
        for trial in study.run(spec, made_up_evaluate):
            if trial.origin == "tpe" and best is not None:
                assert trial.memory_bits < best
            if trial.feasible:
                best = min(best or trial.memory_bits, trial.memory_bits)

    def test_every_trial_says_who_proposed_it(self) -> None:
        origins = {t.origin for t in study.run(made_up_spec(budget=80), made_up_evaluate)}
        assert {"uniform", "tpe"} <= origins <= {"uniform", "tpe", "neighbour", "enumeration"}

    def test_the_front_is_made_of_its_own_feasible_trials(self) -> None:
        trials = list(study.run(made_up_spec(budget=60), made_up_evaluate))
        front = pareto_front(trials)
        assert front
        assert set(front) <= {t for t in trials if t.feasible}


class TestNeighbours:
    def test_they_differ_in_exactly_one_point(self) -> None:
        spec = made_up_spec(bit_widths=(2, 4), quantizers=("affine",))
        centre = BitAllocation.uniform(spec.points, QuantizerConfig("affine", 4))
        found = list(study.neighbours(spec, centre))
        assert len(found) == 4
        for allocation in found:
            changed = [a != b for a, b in zip(allocation.items(), centre.items(), strict=True)]
            assert sum(changed) == 1


class TestEnumerateSpace:
    def test_every_allocation_comes_once(self) -> None:
        spec = made_up_spec(bit_widths=(1, 2, 3), quantizers=("affine",))
        assert len(set(study.enumerate_space(spec))) == spec.size == 3**4
