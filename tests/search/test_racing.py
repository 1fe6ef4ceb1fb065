"""A trial is given up exactly when no luck could save it."""

from hypothesis import given
from hypothesis import strategies as st

from search import racing
from search.spec import Baseline
from search.trial import Hits

BASELINE = Baseline(images=100, correct=90, tolerance=0.05)  # 85 needed


class TestOutOfReach:
    @given(images=st.integers(0, 100), wrong=st.integers(0, 100))
    def test_it_is_so_once_more_are_wrong_than_the_floor_allows(
        self, images: int, wrong: int
    ) -> None:
        wrong = min(wrong, images)
        hits = Hits(images=images, correct=images - wrong)
        assert racing.out_of_reach(hits, BASELINE) == (wrong > 15)


class TestConstraint:
    @given(correct=st.integers(0, 100))
    def test_on_all_images_its_sign_is_the_verdict(self, correct: int) -> None:
        value = racing.constraint(Hits(images=100, correct=correct), BASELINE)
        assert (value <= 0) == (correct >= 85)

    @given(images=st.integers(1, 99), correct=st.integers(0, 99))
    def test_a_trial_given_up_is_never_called_feasible(self, images: int, correct: int) -> None:
        hits = Hits(images=images, correct=min(correct, images))
        if racing.out_of_reach(hits, BASELINE):
            assert racing.constraint(hits, BASELINE) > 0


class TestHits:
    def test_sums_and_rates(self) -> None:
        total = Hits(images=10, correct=8, lost=1, gained=0) + Hits(
            images=10, correct=7, lost=2, gained=1
        )
        assert total == Hits(images=20, correct=15, lost=3, gained=1)
        assert (total.accuracy, total.drop) == (0.75, 0.1)

    def test_no_images_have_no_rate_but_zero(self) -> None:
        assert (Hits().accuracy, Hits().drop) == (0.0, 0.0)
