"""Sensitivities are what they are defined as, and the family is the best within each budget."""

import pytest
import torch
from torch.nn.functional import one_hot

from benchmarks.search import cases
from benchmarks.search import sensitivity
from benchmarks.search import solver
from benchmarks.search.ground import Ground
from benchmarks.search.ground import prepare
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.uniform import uniform_allocations
from tests.contracts.networks import SENSITIVITY
from tests.contracts.networks import made_up_spec
from workers.settings import WorkerSettings


@pytest.fixture(scope="module")
def ground() -> Ground:
    return prepare(cases.DIGITS, 0, settings=WorkerSettings(device="cpu"))


@pytest.fixture(scope="module")
def scores(ground: Ground) -> sensitivity.Scores:
    return sensitivity.scores(ground.bench, ground.search)


class TestScores:
    def test_at_the_logits_the_gradient_is_known(
        self, ground: Ground, scores: sensitivity.Scores
    ) -> None:
        bench, last = ground.bench, ground.search.points[-1].name
        option = QuantizerConfig("affine", 3)
        operator = bench.options.operators(BitAllocation.of({last: option}))[last]
        expected = 0.0
        bench.network.load({})
        for images, labels in bench.dataset.calibration.batches(bench.batch):
            with torch.inference_mode():
                logits = bench.network(images)
                gradient = logits.softmax(dim=1) - one_hot(labels, logits.shape[1])
                expected += float((gradient * (operator(logits) - logits)).square().sum())
        assert scores[last, option] == pytest.approx(expected, rel=1e-3)

    def test_every_option_of_every_point_has_one(
        self, ground: Ground, scores: sensitivity.Scores
    ) -> None:
        menus = zip(ground.search.points, ground.search.menus, strict=True)
        assert {*scores} == {(point.name, option) for point, menu in menus for option in menu}

    def test_afterwards_the_network_is_the_float_one(
        self, ground: Ground, scores: sensitivity.Scores
    ) -> None:
        again = ground.bench.evaluator(ground.bench.dataset.search)
        assert again.float_correct == ground.evaluator.float_correct


SPEC = made_up_spec()
SCORES = {
    (point.name, option): weight * 4.0**-option.bit_width
    for point, weight, menu in zip(SPEC.points, SENSITIVITY, SPEC.menus, strict=True)
    for option in menu
}


def total(allocation: BitAllocation) -> float:
    return sum(SCORES[choice] for choice in allocation.items())


class TestFamily:
    def test_no_uniform_allocation_has_a_better_score_for_no_more_memory(self) -> None:
        family = [*solver.family(SPEC, SCORES)]
        for uniform in uniform_allocations(SPEC):
            cheaper = [a for a in family if SPEC.cost(a) <= SPEC.cost(uniform)]
            assert min(map(total, cheaper)) <= total(uniform)

    def test_larger_budgets_have_better_scores(self) -> None:
        family = [*solver.family(SPEC, SCORES)]
        totals = [total(a) for a in sorted(family, key=SPEC.cost)]
        assert len(family) > 8
        assert totals == sorted(totals, reverse=True)
