"""The certified best is the smallest allocation that holds on images the search never saw."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import certify
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.spec import Baseline
from search.trial import Hits
from search.trial import TrialResult

BASELINE = Baseline(images=100, correct=90, tolerance=0.05)  # 85 needed


def trial(number: int, bits: int, *, feasible: bool = True) -> TrialResult:
    return TrialResult(
        number=number,
        allocation=BitAllocation.of({"p": QuantizerConfig("affine", bits)}),
        origin="test",
        memory_bits=bits,
        hits=Hits(images=100, correct=90),
        complete=True,
        constraint=0.0 if feasible else 0.1,
    )


class Unseen:
    """Images on which 5 bits and more hold; counts what is looked at."""

    def __init__(self) -> None:
        self.images = 0

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        right = 9 if allocation.configs[0][1].bit_width >= 5 else 5
        for _ in range(10):
            self.images += 10
            yield Hits(images=10, correct=right, lost=9 - right, gained=0)


class TestCandidates:
    def test_feasible_ones_come_smallest_first(self) -> None:
        ordered = certify.candidates([trial(0, 8), trial(1, 3), trial(2, 2, feasible=False)])
        assert [t.number for t in ordered] == [1, 0]


class TestCertify:
    def test_the_first_that_holds_ends_it(self) -> None:
        evaluate = Unseen()
        ordered = [trial(number, bits) for number, bits in enumerate((3, 4, 5, 8))]
        checks = list(certify.certify(ordered, evaluate, baseline=BASELINE))
        assert [(c.trial.number, c.holds) for c in checks] == [(0, False), (1, False), (2, True)]
        # a refuted one is given up once more than 15 are wrong
        assert [c.hits.images for c in checks] == [40, 40, 100]
        assert evaluate.images == 180

    def test_nothing_to_check_gives_nothing(self) -> None:
        assert list(certify.certify([], Unseen(), baseline=BASELINE)) == []


class TestDropUpperBound:
    def test_nothing_lost_on_450_images_bounds_the_drop_below_one_percent(self) -> None:
        assert certify.drop_upper_bound(Hits(images=450, correct=450)) == pytest.approx(
            1 - 0.025 ** (1 / 450), abs=1e-9
        )

    @given(lost=st.integers(0, 50), gained=st.integers(0, 50))
    def test_it_lies_above_the_observed_drop(self, lost: int, gained: int) -> None:
        hits = Hits(images=100, correct=50, lost=lost, gained=gained)
        assert hits.drop < certify.drop_upper_bound(hits) <= 1

    def test_everything_lost_is_bounded_by_one(self) -> None:
        assert certify.drop_upper_bound(Hits(images=5, correct=0, lost=5)) == 1.0

    @pytest.mark.parametrize("lost, gained", [(0.02, 0.0), (0.04, 0.02), (0.3, 0.28), (0.001, 0.0)])
    def test_it_covers_the_true_drop_as_often_as_it_says(self, lost: float, gained: float) -> None:
        rng = np.random.default_rng(11)
        draws = rng.multinomial(300, [lost, gained, 1 - lost - gained], size=2000)
        missed = sum(
            certify.drop_upper_bound(Hits(images=300, correct=0, lost=int(a), gained=int(b)))
            < lost - gained
            for a, b, _ in draws
        )
        # 5 % of 2,000 and four standard deviations
        assert missed <= 100 + 39
