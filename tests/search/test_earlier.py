"""Trials of an earlier search count in another where they are its trials too, judged by its bar."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest

from search import samplers
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.cost import PeakActivationMemory
from search.earlier import contains
from search.earlier import judged
from search.racing import Race
from search.spec import SearchSpec
from search.trial import EARLIER
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec

SPEC = made_up_spec(budget=30)
STEPS = (frozenset({"p0", "p1"}), frozenset({"p2", "p3"}))
QUANTIZERS = ("affine", "codebook")


def always(point: str, option: QuantizerConfig) -> bool:
    """Round as ever."""
    return bool(point and option)


def uniform(bits: int, quantizer: str = "affine") -> BitAllocation:
    return BitAllocation.uniform(SPEC.points, QuantizerConfig(quantizer, bits))


def trial(number: int = 0, **found: object) -> TrialResult:
    facts = {
        "number": number,
        "allocation": uniform(8),
        "origin": "tpe",
        "memory_bits": 1,
        "hits": Hits(images=1000, correct=890, lost=10),
        "complete": True,
        "constraint": 0.5,
        "verdict": Verdict.HELD,
    }
    return TrialResult(**{**facts, **found})  # type: ignore[arg-type]  # fields by name


class TestContains:
    def test_what_every_variable_offers(self) -> None:
        assert contains(SPEC, uniform(3))

    @pytest.mark.parametrize(
        "allocation",
        [
            uniform(9),
            uniform(3, "affine_mse"),
            uniform(3).without("p1"),
            BitAllocation((*uniform(3).configs, ("p9", QuantizerConfig("affine", 3)))),
            BitAllocation(uniform(3).configs[::-1]),
        ],
        ids=["bits", "quantizer", "a point short", "a point more", "another order"],
    )
    def test_and_nothing_else(self, allocation: BitAllocation) -> None:
        assert not contains(SPEC, allocation)

    def test_tied_points_have_to_agree(self) -> None:
        tied = replace(SPEC, ties=(frozenset({"p0", "p2"}),))
        mixed = uniform(3).replace(["p2"], QuantizerConfig("affine", 4))
        assert contains(SPEC, mixed)
        assert not contains(tied, mixed)
        assert contains(tied, uniform(3))


class TestJudged:
    @pytest.mark.parametrize("images", [1000, 700, 300])
    @pytest.mark.parametrize("lost", [0, 4, 12, 25, 60])
    @pytest.mark.parametrize("tolerance", [0.005, 0.02, 0.05])
    def test_the_verdict_is_that_of_a_race_for_the_new_floor(
        self, images: int, lost: int, tolerance: float
    ) -> None:
        spec = made_up_spec(tolerance=tolerance)
        right = 9 * images // 10
        hits = Hits(images=images, correct=right - lost, lost=lost)
        (found,) = judged([trial(hits=hits, complete=images == 1000)], spec, same=always)
        race = Race.of(spec.baseline, None)
        assert found.verdict == (race.decide(hits) or Verdict.UNDECIDED)
        assert found.constraint == race.constraint(hits)

    def test_what_held_under_a_lax_floor_may_miss_or_be_open_under_a_strict_one(self) -> None:
        early = Hits(images=600, correct=535, lost=5)
        trials = [
            trial(0, hits=Hits(images=1000, correct=885, lost=15)),
            trial(1, allocation=uniform(7), hits=early, complete=False),
        ]
        lax = judged(trials, made_up_spec(tolerance=0.05), same=always)
        assert [one.verdict for one in lax] == [Verdict.HELD, Verdict.HELD]
        strict = judged(trials, made_up_spec(tolerance=0.01), same=always)
        assert [one.verdict for one in strict] == [Verdict.MISSED, Verdict.UNDECIDED]
        assert not any(one.feasible for one in strict)

    def test_costs_are_those_of_the_new_objective_and_the_origin_is_told(self) -> None:
        objective = PeakActivationMemory(SPEC.points, schedule=STEPS)
        spec = replace(SPEC, objective=objective)
        (found,) = judged([trial(7)], spec, same=always)
        assert (found.number, found.origin) == (0, EARLIER)
        assert found.memory_bits == spec.cost(uniform(8)) == 8 * (64 + 32)
        assert found.earlier

    def test_others_are_left_out_and_the_rest_is_numbered_anew(self) -> None:
        narrow = made_up_spec(bit_widths=(4, 8), quantizers=("affine",))
        trials = [trial(n, allocation=uniform(bits)) for n, bits in enumerate((3, 4, 5, 8))]
        found = judged(trials, narrow, same=always)
        assert [(one.number, one.allocation) for one in found] == [(0, uniform(4)), (1, uniform(8))]

    def test_options_that_round_otherwise_now_are_left_out(self) -> None:
        trials = [trial(0), trial(1, allocation=uniform(4))]
        found = judged(trials, SPEC, same=lambda _, option: option.bit_width == 4)
        assert [one.allocation for one in found] == [uniform(4)]

    def test_of_one_allocation_the_trial_that_saw_most_counts(self) -> None:
        few, many = Hits(images=100, correct=90), Hits(images=1000, correct=890, lost=10)
        undecided = trial(0, hits=few, complete=False, verdict=Verdict.UNDECIDED)
        for pair in ([undecided, trial(1, hits=many)], [trial(0, hits=many), undecided]):
            assert [one.hits for one in judged(pair, SPEC, same=always)] == [many]

    def test_for_the_front_only_what_is_complete_or_dominated_is_decided(self) -> None:
        front = replace(SPEC, goal="front")
        poor, good = Hits(images=200, correct=120, lost=60), Hits(images=200, correct=180)
        trials = [
            trial(0, allocation=uniform(8), hits=poor, complete=False, verdict=Verdict.MISSED),
            trial(1, allocation=uniform(2), hits=good, complete=False),
            trial(2, allocation=uniform(4)),
        ]
        verdicts = [one.verdict for one in judged(trials, front, same=always)]
        assert verdicts == [Verdict.DOMINATED, Verdict.UNDECIDED, Verdict.HELD]


def started(sampler: str, **changes: object) -> tuple[SearchSpec, tuple[TrialResult, ...]]:
    """Return another search, and what it takes over from one under a stricter floor."""
    earlier = study.run(made_up_spec(sampler=sampler, budget=25, tolerance=0.004), made_up_evaluate)
    spec = made_up_spec(sampler=sampler, **{"budget": 20, **changes})  # type: ignore[arg-type]  # fields by name
    return spec, judged(list(earlier), spec, same=always)


class TestStudy:
    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_what_was_decided_is_not_evaluated_again_and_costs_no_budget(
        self, sampler: str
    ) -> None:
        spec, taken = started(sampler, budget=12)
        trials = list(study.run(spec, made_up_evaluate, history=taken))
        assert [one.number for one in trials] == [*range(len(taken), len(taken) + 12)]
        assert not any(one.earlier for one in trials)
        decided = {one.allocation for one in taken if one.decided}
        assert decided.isdisjoint(one.allocation for one in trials)
        assert len({one.allocation for one in trials}) == 12

    @pytest.mark.parametrize("sampler", ["bitfloor", "tpe"])
    @pytest.mark.parametrize("after", [0, 1, 9, 19])
    def test_resumed_it_equals_the_uninterrupted(self, sampler: str, after: int) -> None:
        spec, taken = started(sampler)
        uninterrupted = [*taken, *study.run(spec, made_up_evaluate, history=taken)]
        begun = [*taken, *islice(study.run(spec, made_up_evaluate, history=taken), after)]
        assert [*begun, *study.run(spec, made_up_evaluate, history=begun)] == uninterrupted

    @pytest.mark.parametrize("goal", ["floor", "front"])
    def test_what_is_undecided_may_be_tried_again(self, goal: str) -> None:
        evaluated: list[BitAllocation] = []

        def evaluate(allocation: BitAllocation) -> Iterator[Hits]:
            evaluated.append(allocation)
            yield from made_up_evaluate(allocation)

        small = made_up_spec(bit_widths=(3, 4), quantizers=("affine",), budget=99)
        spec = replace(small, goal=goal, sampler="bitfloor")
        some = Hits(images=100, correct=90)
        taken = judged([trial(0, allocation=uniform(4), hits=some)], spec, same=always)
        assert [one.verdict for one in taken] == [Verdict.UNDECIDED]
        trials = list(study.run(spec, evaluate, history=taken))
        # the space is searched whole: what was undecided too, and nothing twice
        assert len(evaluated) == len(set(evaluated)) == spec.size
        assert uniform(4) in evaluated
        assert all(one.decided for one in trials)

    def test_a_space_that_was_searched_whole_is_not_searched_again(self) -> None:
        spec = made_up_spec(bit_widths=(4, 8), quantizers=("affine",), budget=500)
        everything = list(study.run(spec, made_up_evaluate))
        taken = judged(everything, spec, same=always)
        assert [*study.run(spec, made_up_evaluate, history=taken)] == []

    def test_the_first_step_up_aims_for_what_likely_holds_not_for_what_surely_does(self) -> None:
        spec = made_up_spec(sampler="bitfloor")
        missed = [
            trial(n, allocation=allocation, hits=sum(made_up_evaluate(allocation), Hits()))
            for n, allocation in enumerate(uniform(b, q) for b in (2, 3) for q in QUANTIZERS)
        ]
        taken = judged(missed, spec, same=always)
        assert not any(one.feasible for one in taken)
        own = [replace(one, origin="correction") for one in taken]
        first, later = (_next(spec, history) for history in (taken, own))
        assert spec.cost(first) < spec.cost(later)


def _next(spec: SearchSpec, history: Sequence[TrialResult]) -> BitAllocation:
    sampler = samplers.create(spec)
    for one in history:
        sampler.learn(one)
    return sampler.propose(number=len(history), attempt=0).allocation
