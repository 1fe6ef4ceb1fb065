"""The document of a front tells its trials and the share of the box, as plain JSON."""

import json
from dataclasses import replace

import pytest

from search import study
from search.front_document import front_document
from search.pareto import hypervolume
from search.pareto import pareto_front
from tests.contracts.networks import ELEMENTS
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec

FLOAT_BITS = 32 * sum(ELEMENTS)


class TestFrontDocument:
    def test_it_tells_every_trial_of_the_front_feasible_or_not(self) -> None:
        spec = replace(made_up_spec(sampler="random", budget=40), goal="front")
        trials = list(study.run(spec, made_up_evaluate))
        front = pareto_front(trials, goal="front")
        told = front_document(spec, trials)
        assert [one["trial"] for one in told["trials"]] == [trial.number for trial in front]
        assert {one["feasible"] for one in told["trials"]} == {True, False}
        first = told["trials"][0]
        assert first["memory_bytes"] == front[0].memory_bits / 8
        assert first["saved"] == pytest.approx(1 - front[0].memory_bits / FLOAT_BITS)
        assert first["drop"] == pytest.approx(0.9 - first["accuracy"])
        assert told["reference"] == {
            "accuracy": pytest.approx(0.45),
            "memory_bytes": FLOAT_BITS / 8,
        }
        share = hypervolume(front, baseline=spec.baseline, float_cost=FLOAT_BITS)
        assert told["hypervolume"] == share
        assert json.loads(json.dumps(told)) == told
