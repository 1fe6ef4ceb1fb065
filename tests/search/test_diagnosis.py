"""When nothing holds, the closest allocation is named and the points that cost it most."""

from dataclasses import replace

import pytest

from search import diagnosis
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.trial import Hits
from search.trial import Verdict
from tests.contracts.networks import ELEMENTS
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec

LOSS = {"p0": 0.01, "p1": 0.3, "p2": 0.05, "p3": 0.0}


def additive(allocation: BitAllocation) -> list[Hits]:
    """Evaluate 1,000 images of which each quantized point costs its share."""
    right = round(1000 * (0.9 - sum(LOSS[point] for point in allocation.points())))
    return [Hits(images=500, correct=right // 2), Hits(images=500, correct=right - right // 2)]


class TestClosest:
    def test_it_misses_the_floor_by_least(self) -> None:
        spec = made_up_spec(bit_widths=(1, 2), tolerance=0.0, budget=20)
        trials = list(study.run(spec, made_up_evaluate))
        assert not any(t.feasible for t in trials)
        assert diagnosis.closest(trials).constraint == min(t.constraint for t in trials)

    def test_it_is_none_that_another_dominates(self) -> None:
        spec = made_up_spec(bit_widths=(1, 2), tolerance=0.0, budget=20)
        first, *rest = study.run(spec, made_up_evaluate)
        lucky = replace(first, constraint=-1.0, complete=False, verdict=Verdict.DOMINATED)
        assert diagnosis.closest([lucky, *rest]) in rest


class TestBlame:
    def test_each_point_is_blamed_with_what_its_return_to_float_recovers(self) -> None:
        spec = made_up_spec()
        everything = BitAllocation.uniform(spec.points, QuantizerConfig("affine", 1))
        hits = diagnosis.full_hits(additive, everything)
        blames = list(diagnosis.blame(additive, everything, over=hits))
        assert len(blames) == len(ELEMENTS)
        assert {b.point: pytest.approx(b.recovered) for b in blames} == LOSS
        assert sum(b.images for b in blames) == 4000
