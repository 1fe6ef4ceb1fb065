"""A trial is decided early only when that is certain, or wrong at most as often as it says."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import paired
from search import racing
from search.baseline import Baseline
from search.baseline import Certificate
from search.racing import Race
from search.trial import Hits
from search.trial import Verdict

BASELINE = Baseline(images=100, correct=90, tolerance=0.05)  # 85 needed
SMALL = Baseline(images=12, correct=8, tolerance=0.17)  # 6 needed
FEW = Baseline(images=200, correct=160, tolerance=0.08)  # 144 needed
MIDDLE = Baseline(images=400, correct=300, tolerance=0.02)  # 292 needed
LARGE = Baseline(images=2000, correct=1500, tolerance=0.01)  # 1,480 needed
SURE = Certificate(images=800, confidence=0.95)


def counted(baseline: Baseline, images: int, *, lost: int, gained: int) -> Hits:
    """Return hits on so many images, of which the float model has its share right."""
    right = round(images * baseline.correct / baseline.images)
    return Hits(images=images, correct=right - lost + gained, lost=lost, gained=gained)


def shuffled(baseline: Baseline, rng: np.random.Generator, *, lost: int, gained: int) -> np.ndarray:
    """Return, after each image of a random order, counts of right, lost and gained images."""
    images = np.zeros((baseline.images, 3), dtype=int)
    images[: baseline.correct, 0] = 1
    images[:lost] = (0, 1, 0)
    images[baseline.correct : baseline.correct + gained] = (1, 0, 1)
    return rng.permutation(images).cumsum(axis=0)


def rounds(counts: np.ndarray, batch: int) -> Iterator[Hits]:
    total = len(counts)
    for images in [*range(batch, total, batch), total]:
        correct, lost, gained = (int(count) for count in counts[images - 1])
        yield Hits(images=images, correct=correct, lost=lost, gained=gained)


def decided(race: Race, counts: np.ndarray, *, batch: int) -> tuple[Verdict, int]:
    """Return the verdict and the images that it took."""
    for hits in rounds(counts, batch):
        if verdict := race.decide(hits):
            return verdict, hits.images
    raise AssertionError("all images give a verdict")


class TestOf:
    def test_without_a_certificate_the_counts_decide(self) -> None:
        race = Race.of(BASELINE, None)
        for gained in range(11):
            assert race.most_lost[gained] == 5 + gained

    def test_with_one_the_same_rates_must_certify(self) -> None:
        race = Race.of(MIDDLE, SURE)
        for gained in (0, 3, 50):
            most = int(race.most_lost[gained])
            for lost, holds in ((most, True), (most + 1, False)):
                there = Hits(images=800, lost=2 * lost, gained=2 * gained)
                p = paired.p_certified(there, tolerance=0.02)
                # the score's normal tail is near the exact one
                assert p <= 0.06 if holds else p >= 0.042

    def test_a_certificate_asks_for_no_less_than_the_floor(self) -> None:
        floor, sure = Race.of(MIDDLE, None), Race.of(MIDDLE, SURE)
        assert (sure.most_lost <= floor.most_lost).all()
        assert (sure.most_lost < floor.most_lost).any()

    def test_where_too_few_images_certify_nothing_holds(self) -> None:
        race = Race.of(MIDDLE, Certificate(images=40, confidence=0.95))
        assert race.most_lost[0] == -1


class TestDecide:
    def test_all_images_always_decide(self) -> None:
        race = Race.of(SMALL, None)
        for lost, gained in itertools.product(range(9), range(5)):
            hits = Hits(images=12, correct=8 - lost + gained, lost=lost, gained=gained)
            held = hits.correct >= SMALL.needed
            assert race.decide(hits) is (Verdict.HELD if held else Verdict.MISSED)

    def test_what_is_certain_is_decided_and_no_verdict_contradicts_it(self) -> None:
        race = Race.of(SMALL, None)
        for right, wrong in itertools.product(range(9), range(5)):
            for lost, gained in itertools.product(range(right + 1), range(wrong + 1)):
                final = {
                    lost + more <= gained + other + 2
                    for more in range(9 - right)
                    for other in range(5 - wrong)
                }
                hits = Hits(
                    images=right + wrong,
                    correct=right - lost + gained,
                    lost=lost,
                    gained=gained,
                )
                if len(final) == 1:
                    expected = Verdict.HELD if final == {True} else Verdict.MISSED
                    assert race.decide(hits) is expected

    def test_no_image_decides_nothing(self) -> None:
        assert Race.of(BASELINE, None).decide(Hits()) is None

    @pytest.mark.parametrize("images", [30, 80, 170])
    @pytest.mark.parametrize("certificate", [None, Certificate(images=300, confidence=0.95)])
    def test_every_total_of_the_other_verdict_is_ruled_out(
        self, images: int, certificate: Certificate | None
    ) -> None:
        # against every (L, G), each by the definition
        race = Race.of(FEW, certificate)
        for lost in range(0, images // 2, 3):
            hits = counted(FEW, images, lost=lost, gained=images // 40)
            verdict = race.decide(hits)
            believed = {
                total_lost <= race.most_lost[total_gained]
                for total_gained in range(hits.gained, hits.gained + 41 - images // 5)
                for total_lost in range(lost, lost + 161 - images * 4 // 5)
                if is_believed(hits, total_lost, total_gained)
            }
            if verdict is None:
                assert believed == {True, False}
            else:
                assert believed <= {verdict is Verdict.HELD}

    @pytest.mark.parametrize("certificate", [None, SURE])
    @pytest.mark.parametrize("gained", [0, 4, 40])
    @pytest.mark.parametrize("extra, right", [(0, Verdict.HELD), (1, Verdict.MISSED)])
    def test_on_either_side_of_the_floor_it_errs_no_more_often_than_it_says(
        self, certificate: Certificate | None, gained: int, extra: int, right: Verdict
    ) -> None:
        race = Race.of(MIDDLE, certificate)
        rng = np.random.default_rng(gained)
        lost = int(race.most_lost[gained]) + extra
        wrong = sum(
            decided(race, shuffled(MIDDLE, rng, lost=lost, gained=gained), batch=8)[0] is not right
            for _ in range(120)
        )
        # 5 % of 120 and three standard errors
        assert wrong <= 6 + 3 * math.sqrt(120 * 0.05 * 0.95)

    def test_the_batches_do_not_matter_to_what_the_counts_say(self) -> None:
        race = Race.of(LARGE, None)
        counts = shuffled(LARGE, np.random.default_rng(2), lost=200, gained=60)
        fine = decided(race, counts, batch=1)
        coarse = decided(race, counts, batch=125)
        assert coarse == (fine[0], math.ceil(fine[1] / 125) * 125)

    def test_the_order_within_the_images_seen_does_not_matter(self) -> None:
        race = Race.of(LARGE, None)
        one, other = Hits(images=99, correct=60, lost=9, gained=2), Hits(images=1, correct=1)
        assert race.decide(one + other) == race.decide(other + one)

    @pytest.mark.parametrize(
        "lost, gained, most", [(440, 40, 0.1), (230, 30, 0.2), (140, 40, 0.45)]
    )
    def test_a_clear_miss_costs_a_fraction_of_the_images(
        self, lost: int, gained: int, most: float
    ) -> None:
        race = Race.of(LARGE, None)
        rng = np.random.default_rng(0)
        ended = [
            decided(race, shuffled(LARGE, rng, lost=lost, gained=gained), batch=32)
            for _ in range(20)
        ]
        assert {verdict for verdict, _ in ended} == {Verdict.MISSED}
        assert sum(images for _, images in ended) / 20 <= most * 2000


class TestConstraint:
    @given(lost=st.integers(0, 90), gained=st.integers(0, 10))
    def test_on_all_images_its_sign_is_the_verdict(self, lost: int, gained: int) -> None:
        hits = Hits(images=100, correct=90 - lost + gained, lost=lost, gained=gained)
        value = Race.of(BASELINE, None).constraint(hits)
        assert value == pytest.approx((85 - hits.correct) / 100)
        assert (value <= 0) == (hits.correct >= 85)

    @given(data=st.data(), certified=st.booleans())
    def test_whatever_was_decided_its_sign_agrees(
        self, data: st.DataObject, certified: bool
    ) -> None:
        race = Race.of(MIDDLE, SURE if certified else None)
        right = data.draw(st.integers(0, 300))
        wrong = data.draw(st.integers(0, 100))
        lost, gained = data.draw(st.integers(0, right)), data.draw(st.integers(0, wrong))
        hits = Hits(images=right + wrong, correct=right - lost + gained, lost=lost, gained=gained)
        match race.decide(hits):
            case Verdict.HELD:
                assert race.constraint(hits) <= 0
            case Verdict.MISSED:
                assert race.constraint(hits) > 0

    def test_it_is_the_share_of_images_that_must_no_longer_be_lost(self) -> None:
        hits = Hits(images=50, correct=40, lost=6, gained=1)
        # 5 + 2 may be lost of 100 if 2 are gained, and 12 seem to be
        assert Race.of(BASELINE, None).constraint(hits) == pytest.approx(0.05)

    def test_before_any_image_nothing_is_known_to_be_missing(self) -> None:
        assert Race.of(BASELINE, None).constraint(Hits()) == pytest.approx(-0.05)


class TestOutOfReach:
    @given(images=st.integers(0, 100), wrong=st.integers(0, 100))
    def test_it_is_so_once_more_are_wrong_than_the_floor_allows(
        self, images: int, wrong: int
    ) -> None:
        wrong = min(wrong, images)
        hits = Hits(images=images, correct=images - wrong)
        assert racing.out_of_reach(hits, BASELINE) == (wrong > 15)


def is_believed(hits: Hits, lost: int, gained: int) -> bool:
    """Tell whether (lost, gained) of all 200 images is not ruled out, from the definition."""
    prior = (*racing.PRIOR, *(hits.lost, hits.gained, hits.images - hits.lost - hits.gained))
    a, counts = prior[:3], prior[3:]
    totals = (lost, gained, 200 - lost - gained)
    if min(t - c for t, c in zip(totals, counts, strict=True)) < 0:
        return False
    drawn = sum(math.log(math.comb(t, c)) for t, c in zip(totals, counts, strict=True))
    likelihood = drawn - math.log(math.comb(200, hits.images))
    orders = math.lgamma(hits.images + 1) - sum(math.lgamma(c + 1) for c in counts)
    marginal = (
        orders
        + sum(math.lgamma(x + c) - math.lgamma(x) for x, c in zip(a, counts, strict=True))
        + math.lgamma(sum(a))
        - math.lgamma(sum(a) + hits.images)
    )
    # ruled out at an error of 5 %: twenty times less likely than the prior had it
    return likelihood > marginal - math.log(20)
