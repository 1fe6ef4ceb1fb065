"""Allocations and trials come back from Optuna as they went in."""

import json
from dataclasses import replace

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.distributions import IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.optuna_space import FLOOR_CONSTRAINT
from search.optuna_space import Space
from search.optuna_space import noted
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict

AFFINE = tuple(QuantizerConfig("affine", b) for b in (2, 4, 8))
#: a hole: no codebook of 8 bits
MENU = (*AFFINE, QuantizerConfig("codebook", 2), QuantizerConfig("codebook", 4))
POINTS = tuple(QuantizationPoint(name, 10) for name in ("a", "b", "float", "c"))
SPEC = SearchSpec(
    points=POINTS,
    menus=(MENU, MENU, (), AFFINE),
    baseline=Baseline(images=1000, correct=900, tolerance=0.02),
    sampler="tpe",
    budget=10,
    seed=0,
    ties=(frozenset({"a", "b"}),),
)
SPACE = Space(SPEC)

ALLOCATIONS = st.builds(
    lambda a, c: SPEC.allocation([a, c]), st.sampled_from(MENU), st.sampled_from(AFFINE)
)


def result(
    hits: Hits, *, verdict: Verdict = Verdict.HELD, constraint: float = -0.0123
) -> TrialResult:
    return TrialResult(
        number=0,
        allocation=SPEC.allocation([MENU[3], AFFINE[1]]),
        origin="correction",
        memory_bits=123_456_789_012,
        hits=hits,
        complete=hits.images == 1000,
        constraint=constraint,
        verdict=verdict,
    )


HELD = result(Hits(images=1000, correct=890, lost=17, gained=7))
#: on its images the float model has 95 % right, on all of them 90 %
STOPPED = result(
    Hits(images=100, correct=65, lost=30, gained=0), verdict=Verdict.MISSED, constraint=0.1 + 0.2
)


class TestDistributions:
    def test_each_variable_has_a_quantizer_and_a_place_among_its_sorted_widths(self) -> None:
        assert SPACE.distributions == {
            "a.quantizer": CategoricalDistribution(["affine", "codebook"]),
            "a.bit_width": IntDistribution(0, 2),
            "c.quantizer": CategoricalDistribution(["affine"]),
            "c.bit_width": IntDistribution(0, 2),
        }


class TestEncode:
    @given(ALLOCATIONS)
    def test_every_allocation_comes_back(self, allocation: BitAllocation) -> None:
        assert SPACE.decode(SPACE.encode(allocation)) == allocation

    @given(ALLOCATIONS)
    def test_its_parameters_are_within_the_distributions(self, allocation: BitAllocation) -> None:
        params = SPACE.encode(allocation)
        assert params.keys() == SPACE.distributions.keys()
        for name, distribution in SPACE.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))


class TestDecode:
    def test_tied_points_share_and_points_in_float_are_left_out(self) -> None:
        params = {"a.quantizer": "affine", "a.bit_width": 1, "c.quantizer": "affine"}
        assert SPACE.decode(params | {"c.bit_width": 2}) == BitAllocation.of(
            {"a": AFFINE[1], "b": AFFINE[1], "c": AFFINE[2]}
        )

    def test_a_hole_is_filled_by_the_nearest_that_is_offered(self) -> None:
        params = {"a.quantizer": "codebook", "a.bit_width": 2, "c.quantizer": "affine"}
        chosen = SPACE.decode(params | {"c.bit_width": 0})
        assert chosen.get("a") == QuantizerConfig("affine", 8)


class TestTrial:
    @pytest.mark.parametrize("told", [HELD, STOPPED], ids=["held", "stopped"])
    def test_what_was_found_comes_back_from_a_study(self, told: TrialResult) -> None:
        study = optuna.create_study(directions=SPACE.directions)
        study.add_trial(SPACE.trial(told))
        assert SPACE.result(study.trials[0]) == told

    @pytest.mark.parametrize("told", [HELD, STOPPED], ids=["held", "stopped"])
    def test_its_note_survives_json(self, told: TrialResult) -> None:
        assert json.loads(json.dumps(noted(told))) == noted(told)

    def test_it_minimizes_memory_under_the_floor(self) -> None:
        trial = SPACE.trial(STOPPED)
        assert trial.state is TrialState.COMPLETE
        assert trial.values == [STOPPED.memory_bits]
        assert trial.constraints == {FLOOR_CONSTRAINT: STOPPED.constraint}
        assert list(SPACE.directions) == [StudyDirection.MINIMIZE]

    def test_its_number_is_the_studys(self) -> None:
        study = optuna.create_study()
        study.add_trial(SPACE.trial(HELD))
        study.add_trial(SPACE.trial(STOPPED))
        found = SPACE.result(study.trials[1])
        assert found == replace(STOPPED, number=1)

    def test_a_trial_that_was_not_noted_tells_nothing(self) -> None:
        study = optuna.create_study()
        study.ask(dict(SPACE.distributions))
        assert SPACE.result(study.trials[0]) is None


class TestFront:
    SPACE = Space(replace(SPEC, goal="front"))

    def test_accuracy_takes_the_place_of_the_constraint(self) -> None:
        trial = self.SPACE.trial(HELD)
        assert trial.values == [HELD.memory_bits, 0.89]
        assert trial.constraints == {}
        assert [*self.SPACE.directions] == [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]

    def test_of_a_trial_that_was_stopped_it_is_what_the_drop_leaves(self) -> None:
        assert self.SPACE.trial(STOPPED).values[1] == pytest.approx(0.9 - 0.3)

    def test_what_was_found_comes_back(self) -> None:
        study = optuna.create_study(directions=self.SPACE.directions)
        study.add_trial(self.SPACE.trial(HELD))
        assert self.SPACE.result(study.trials[0]) == HELD
