"""The paired tests err no more often than they say, whatever P(gained) is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import multinomial

from search import paired
from search.trial import Hits


def hits(images: int, *, lost: int, gained: int = 0) -> Hits:
    return Hits(images=images, lost=lost, gained=gained)


def outcomes(images: int) -> tuple[np.ndarray, np.ndarray]:
    lost, gained = np.meshgrid(np.arange(images + 1), np.arange(images + 1), indexing="ij")
    return lost[lost + gained <= images], gained[lost + gained <= images]


def mass(images: int, *, p_lost: float, p_gained: float) -> np.ndarray:
    lost, gained = outcomes(images)
    counts = np.stack([lost, gained, images - lost - gained], axis=-1)
    same = max(0.0, 1 - p_lost - p_gained)
    rates = np.array([p_lost, p_gained, same])
    return np.asarray(multinomial.pmf(counts, images, rates / rates.sum()))


@st.composite
def some_hits(draw: st.DrawFn, most: int = 400) -> Hits:
    images = draw(st.integers(1, most))
    lost = draw(st.integers(0, images))
    return hits(images, lost=lost, gained=draw(st.integers(0, images - lost)))


class TestScore:
    @pytest.mark.parametrize(
        "seen, tolerance",
        [
            (hits(44, lost=9, gained=5), 0.1),
            (hits(2000, lost=100, gained=90), 0.01),
            (hits(50, lost=0, gained=3), 0.05),
            (hits(50, lost=3, gained=0), 0.0),
            (hits(30, lost=20, gained=1), 0.2),
        ],
    )
    def test_it_stands_on_the_most_likely_rates_with_that_drop(
        self, seen: Hits, tolerance: float
    ) -> None:
        def surprise(q: float) -> float:
            same = seen.images - seen.lost - seen.gained
            return -(
                seen.lost * math.log(q + tolerance)
                + seen.gained * math.log(q)
                + same * math.log(1 - 2 * q - tolerance)
            )

        limits = (1e-12, (1 - tolerance) / 2 - 1e-12)
        q = minimize_scalar(surprise, bounds=limits, options={"xatol": 1e-10}).x
        deviation = math.sqrt(seen.images * (2 * q + tolerance * (1 - tolerance)))
        expected = (seen.images * tolerance - seen.lost + seen.gained) / deviation
        assert paired.score(seen, tolerance=tolerance) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.3])
    @pytest.mark.parametrize("images", [7, 90])
    def test_it_falls_with_every_image_lost_and_rises_with_every_one_gained(
        self, images: int, tolerance: float
    ) -> None:
        lost, gained = np.meshgrid(np.arange(images), np.arange(images), indexing="ij")
        fewer = lost + gained < images

        def score(more_lost: int, more_gained: int) -> np.ndarray:
            counts = lost + more_lost, gained + more_gained
            return np.asarray(paired.scores(*counts, images=images, tolerance=tolerance))[fewer]

        assert (score(1, 0) < score(0, 0)).all()
        assert (score(0, 1) > score(0, 0)).all()

    def test_without_tolerance_it_is_mcnemars(self) -> None:
        assert paired.score(hits(100, lost=3, gained=10), tolerance=0) == pytest.approx(
            7 / math.sqrt(13)
        )

    def test_nothing_known_scores_nothing(self) -> None:
        assert paired.score(Hits(), tolerance=0.1) == 0
        assert paired.score(hits(9, lost=0), tolerance=0) == 0


class TestMostLost:
    def test_it_is_the_last_that_scores_enough(self) -> None:
        gained = np.arange(61)
        most = paired.most_lost(gained, images=60, tolerance=0.1, least=1.5)
        for g, lost in zip(gained, most, strict=True):
            scores = [
                paired.score(hits(60, lost=n, gained=int(g)), tolerance=0.1) for n in range(61 - g)
            ]
            assert lost == sum(score >= 1.5 for score in scores) - 1


class TestPCertified:
    @pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.05, 0.2])
    @pytest.mark.parametrize("images", [20, 60])
    def test_it_is_as_rare_as_it_says_wherever_the_drop_is_the_tolerance(
        self, images: int, tolerance: float
    ) -> None:
        lost, gained = outcomes(images)
        counts = zip(lost, gained, strict=True)
        p = np.array(
            [
                paired.p_certified(hits(images, lost=a, gained=b), tolerance=tolerance)
                for a, b in counts
            ]
        )
        for p_gained in np.linspace(0, (1 - tolerance) / 2, 60):
            chances = mass(images, p_lost=p_gained + tolerance, p_gained=p_gained)
            for level in (0.001, 0.0125, 0.05, 0.2):
                assert chances[p <= level].sum() <= level

    @pytest.mark.parametrize("seen", [hits(25, lost=0), hits(25, lost=1, gained=2)])
    def test_it_is_the_worst_probability_of_anything_as_extreme(self, seen: Hits) -> None:
        lost, gained = outcomes(25)
        scores = paired.scores(lost, gained, images=25, tolerance=0.15)
        extreme = scores >= paired.score(seen, tolerance=0.15) - 1e-9
        worst = max(
            mass(25, p_lost=q + 0.15, p_gained=q)[extreme].sum() for q in np.linspace(0, 0.425, 400)
        )
        p = paired.p_certified(seen, tolerance=0.15)
        assert worst <= p * 1.001
        assert p <= worst * 1.001 + paired.OUTSIDE

    @pytest.mark.parametrize("images", [500, 5000])
    @pytest.mark.parametrize("p_gained", [0.0, 0.001, 0.02, 0.15])
    def test_it_does_not_waste_many_images_either(self, images: int, p_gained: float) -> None:
        # on many images it comes close to the normal tail, which holds in the limit
        lost = round(images * p_gained) + max(0, round(images * 0.01 - 2 * images**0.5 * 0.1))
        seen = hits(images, lost=lost, gained=round(images * p_gained))
        normal = ndtr(-paired.score(seen, tolerance=0.01))
        assert paired.p_certified(seen, tolerance=0.01) <= 2 * normal + 0.01

    @pytest.mark.parametrize("p_gained", [0.0, 0.003, 0.05])
    def test_on_2000_images_it_is_wrong_as_often_as_it_says(self, p_gained: float) -> None:
        rng = np.random.default_rng(5)
        draws = rng.multinomial(2000, [p_gained + 0.01, p_gained, 0.99 - 2 * p_gained], size=300)
        wrong = sum(
            paired.p_certified(hits(2000, lost=int(a), gained=int(b)), tolerance=0.01) <= 0.05
            for a, b, _ in draws
        )
        # 5 % of 300 and three standard errors; and not next to none
        assert 6 <= wrong <= 15 + 3 * math.sqrt(300 * 0.05 * 0.95)

    def test_no_image_says_nothing(self) -> None:
        assert paired.p_certified(Hits(), tolerance=0.1) == 1


class TestPRefuted:
    @pytest.mark.parametrize("tolerance", [0.0, 0.05, 0.4])
    def test_it_is_as_rare_as_it_says_wherever_the_drop_is_no_more(self, tolerance: float) -> None:
        lost, gained = outcomes(24)
        counts = zip(lost, gained, strict=True)
        p = np.array(
            [paired.p_refuted(hits(24, lost=a, gained=b), tolerance=tolerance) for a, b in counts]
        )
        for p_gained in np.linspace(0, 1, 50):
            p_lost = min(p_gained + tolerance, 1 - p_gained)
            chances = mass(24, p_lost=p_lost, p_gained=p_gained)
            for level in (0.01, 0.05, 0.2):
                assert chances[p <= level].sum() <= level

    @given(some_hits(), st.floats(0, 0.5))
    @settings(max_examples=60)
    def test_nothing_is_certified_and_refuted(self, seen: Hits, tolerance: float) -> None:
        certified = paired.p_certified(seen, tolerance=tolerance)
        assert certified + paired.p_refuted(seen, tolerance=tolerance) >= 1 - 1e-9

    def test_much_lost_refutes(self) -> None:
        assert paired.p_refuted(hits(1000, lost=100, gained=20), tolerance=0.01) < 1e-4
        assert paired.p_refuted(Hits(), tolerance=0.01) == 1


class TestDropUpperBound:
    @given(some_hits(), st.sampled_from([0.9, 0.955]), st.floats(-0.05, 0.05))
    @settings(max_examples=60)
    def test_it_is_within_the_tolerance_just_when_that_is_certified(
        self, seen: Hits, confidence: float, beside: float
    ) -> None:
        bound = paired.drop_upper_bound(seen, confidence)
        assert max(0.0, seen.drop) <= bound <= 1
        if 0 <= (tolerance := bound + beside) < 1 and abs(beside) > 1e-4:
            certified = paired.p_certified(seen, tolerance=tolerance) <= 1 - confidence
            assert certified == (bound <= tolerance)

    def test_nothing_lost_on_450_images_bounds_the_drop_below_one_percent(self) -> None:
        bound = paired.drop_upper_bound(hits(450, lost=0), 0.95)
        assert bound == pytest.approx(1 - 0.05 ** (1 / 450), abs=1e-5)

    def test_everything_lost_is_bounded_by_one_and_much_gained_by_nothing(self) -> None:
        assert paired.drop_upper_bound(hits(5, lost=5), 0.95) == 1
        assert paired.drop_upper_bound(hits(100, lost=0, gained=30), 0.95) == 0

    def test_it_covers_the_true_drop_as_often_as_it_says(self) -> None:
        pairs = list(zip(*outcomes(12), strict=True))
        bounds = np.array(
            [paired.drop_upper_bound(hits(12, lost=int(a), gained=int(b)), 0.9) for a, b in pairs]
        )
        for p_lost in np.linspace(0, 1, 26):
            for p_gained in np.linspace(0, 1 - p_lost, 26):
                chances = mass(12, p_lost=p_lost, p_gained=p_gained)
                assert chances[bounds < p_lost - p_gained].sum() <= 0.1


class TestFewestImages:
    @pytest.mark.parametrize("tolerance, confidence", [(0.01, 0.95), (0.02, 0.955), (0.3, 0.6)])
    def test_one_fewer_certifies_nothing_even_if_nothing_changes(
        self, tolerance: float, confidence: float
    ) -> None:
        fewest = paired.fewest_images(tolerance, confidence)
        assert fewest is not None
        assert (1 - tolerance) ** fewest <= 1 - confidence < (1 - tolerance) ** (fewest - 1)
        unchanged = hits(fewest - 1, lost=0)
        assert paired.p_certified(unchanged, tolerance=tolerance) > 1 - confidence

    def test_no_tolerance_is_certified_on_no_number(self) -> None:
        assert paired.fewest_images(0.0, 0.95) is None


class TestImagesNeeded:
    @pytest.mark.parametrize("seen", [hits(450, lost=3, gained=1), hits(100, lost=0)])
    def test_so_many_at_the_same_rates_certify(self, seen: Hits) -> None:
        needed = paired.images_needed(seen, tolerance=0.01, confidence=0.95)
        assert needed is not None
        assert needed > seen.images

        def p_on(images: int) -> float:
            lost = math.ceil(seen.lost * images / seen.images)
            gained = seen.gained * images // seen.images
            return paired.p_certified(hits(images, lost=lost, gained=gained), tolerance=0.01)

        assert p_on(needed) <= 0.05 < p_on(round(needed * 0.85))

    def test_a_drop_beyond_the_tolerance_is_certified_on_no_number(self) -> None:
        seen = hits(1000, lost=30, gained=20)
        assert paired.images_needed(seen, tolerance=0.01, confidence=0.95) is None
