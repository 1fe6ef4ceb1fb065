"""The expected gain of a front is an area, worked out by hand or drawn."""

from dataclasses import replace

import numpy as np
import pytest

from search.allocation import BitAllocation
from search.bitfloor.box import Box
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import made_up_spec

#: X = 0.8, 10 bits in float, and two trials: 60 % at 2 bits and 70 % at 6
BOX = Box(
    high=0.8,
    low=0.4,
    float_cost=10,
    costs=np.array([2.0, 6.0]),
    accuracies=np.array([0.6, 0.7]),
)
VOLUME = 10 * 0.4


class TestBox:
    @pytest.mark.parametrize(
        "memory, accuracy, area",
        [
            (1, 0.5, 1 * 0.1),  # from 1 to 2 bits, above the reference
            (4, 0.65, 2 * 0.05),  # from 4 to 6 bits, above 60 %
            (4, 0.75, 2 * 0.15 + 4 * 0.05),  # and from 6 to 10 above 70 %
            (4, 0.9, 2 * 0.2 + 4 * 0.1),  # no more than X counts
            (4, 0.6, 0),
            (7, 0.65, 0),
            (12, 0.9, 0),  # more than in float
        ],
    )
    def test_a_certain_accuracy_gains_what_the_front_does_not_dominate(
        self, memory: float, accuracy: float, area: float
    ) -> None:
        gain = BOX.gain(np.array([memory]), mean=np.array([accuracy]), deviation=np.array([1e-9]))
        assert gain == pytest.approx(area / VOLUME, abs=1e-8)

    def test_an_uncertain_one_gains_the_mean_of_that(self) -> None:
        drawn = np.random.default_rng(0).normal(0.63, 0.08, 20_000)
        each = BOX.gain(np.full(20_000, 3.0), mean=drawn, deviation=np.full(20_000, 1e-9))
        gain = BOX.gain(np.array([3.0]), mean=np.array([0.63]), deviation=np.array([0.08]))[0]
        assert gain == pytest.approx(each.mean(), abs=3 * each.std() / np.sqrt(20_000))

    def test_it_holds_the_non_dominated_of_the_trials(self) -> None:
        spec = replace(made_up_spec(), goal="front")
        facts = {"allocation": BitAllocation(()), "origin": "test", "constraint": 0.0}
        trials = [
            TrialResult(
                number=i,
                memory_bits=bits,
                hits=Hits(images=1000, correct=correct),
                complete=complete,
                verdict=Verdict.MISSED,
                **facts,  # type: ignore[arg-type]  # of several types
            )
            for i, (bits, correct, complete) in enumerate(
                [(500, 600, True), (700, 550, True), (900, 880, True), (400, 700, False)]
            )
        ]
        box = Box.of(spec, trials)
        assert box.costs.tolist() == [500, 900]
        assert box.accuracies.tolist() == [0.6, 0.88]
        assert (box.high, box.low, box.float_cost) == (0.9, 0.45, 120 * 32)
