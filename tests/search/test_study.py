"""A study spends its budget well: no repeats, early verdicts, ever fewer bits above the floor."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from search import cost
from search import samplers
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.pareto import pareto_front
from search.spec import SearchSpec
from search.trial import Hits
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
            (option, *others) = {option for _, option in allocation.items()}
            right = 900 if not others and str(option) in {"affine:3", "affine:8"} else 0
            yield Hits(images=1000, correct=right, lost=900 - right, gained=0)

        trials = list(study.run(made_up_spec(budget=30), odd))
        held = [dict(t.allocation.items())["p0"] for t in trials if t.feasible]
        assert min(option.bit_width for option in held) == 3

    def test_a_hopeless_trial_stops_after_its_first_round(self) -> None:
        spec = made_up_spec(budget=3)
        # 1,000 images of which 880 must be right: it is not certain yet, but hardly in doubt
        assert [t.hits.images for t in study.run(spec, hopeless)] == [100, 100, 100]

    def test_images_after_the_verdict_are_never_evaluated(self) -> None:
        evaluated = 0

        def counting(allocation: BitAllocation) -> Iterator[Hits]:
            nonlocal evaluated
            for hits in hopeless(allocation):
                evaluated += hits.images
                yield hits

        list(study.run(made_up_spec(budget=1), counting))
        assert evaluated == 100

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


class TestRuled:
    """Points that may choose from little or nothing, as rules have it."""

    OPTIONS = made_up_spec(bit_widths=(2, 4, 8), quantizers=("affine",)).menus[0]

    def spec(self, sampler: str, budget: int = 60) -> SearchSpec:
        menus = (self.OPTIONS, self.OPTIONS[2:], (), self.OPTIONS[:2])
        return replace(made_up_spec(sampler=sampler, budget=budget), menus=menus)

    def evaluate(self, allocation: BitAllocation) -> Iterator[Hits]:
        given = dict(allocation.items())
        best = QuantizerConfig("affine", 16)
        yield from made_up_evaluate(
            BitAllocation.of({f"p{i}": given.get(f"p{i}", best) for i in range(4)})
        )

    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_every_allocation_is_tried_and_only_those(self, sampler: str) -> None:
        spec = self.spec(sampler)
        trials = list(study.run(spec, self.evaluate))
        assert len({t.allocation for t in trials}) == len(trials) == spec.size == 3 * 1 * 2
        for trial in trials:
            assert tuple(trial.allocation.points()) == ("p0", "p1", "p3")
            assert trial.allocation.get("p1") == QuantizerConfig("affine", 8)

    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_resumed_it_equals_the_uninterrupted(self, sampler: str) -> None:
        spec = self.spec(sampler)
        whole = list(study.run(spec, self.evaluate))
        assert whole[:3] + list(study.run(spec, self.evaluate, history=whole[:3])) == whole

    def test_what_stays_in_float_still_takes_memory(self) -> None:
        trial = next(study.run(self.spec("random"), self.evaluate))
        assert trial.memory_bits == 64 * 2 + 32 * 8 + 16 * 32 + 8 * 2

    @pytest.mark.parametrize("bit_widths", [(4, 8), (2, 4, 8)])
    def test_a_hardware_menu_is_never_left(self, bit_widths: tuple[int, ...]) -> None:
        spec = made_up_spec(bit_widths=bit_widths, budget=60)
        for trial in study.run(spec, made_up_evaluate):
            assert {option.bit_width for _, option in trial.allocation.items()} <= {*bit_widths}


class TestObjective:
    """A search that minimizes the largest step of a schedule."""

    def spec(self, sampler: str) -> SearchSpec:
        plain = made_up_spec(sampler=sampler, budget=60)
        steps = (frozenset({"p0", "p1"}), frozenset({"p1", "p2"}), frozenset({"p2", "p3"}))
        return replace(plain, objective=cost.PeakActivationMemory(plain.points, steps))

    def test_it_is_what_trials_tell_and_what_proposals_undercut(self) -> None:
        spec, best = self.spec("tpe"), None
        for trial in study.run(spec, made_up_evaluate):
            assert trial.memory_bits == spec.minimized.cost(trial.allocation)
            if trial.origin == "tpe" and best is not None:
                assert trial.memory_bits < best
            if trial.feasible:
                best = min(best or trial.memory_bits, trial.memory_bits)
        assert best is not None


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
