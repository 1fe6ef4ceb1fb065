"""Shrunken drops err less than those that were seen, most of all for trials that were chosen."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import ndtri

from search import paired
from search.shrinkage import Reals
from search.shrinkage import estimate
from search.shrinkage import estimate_among
from search.trial import Hits

TOLERANCE = 0.01
TRIALS = 60
LEVEL = 0.0125


@dataclass(frozen=True, eq=False)
class Truth:
    """Allocations of one search: what they really flip, and how far they really drop."""

    flipped: Reals
    drop: Reals

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "Truth":
        """Return allocations near the floor; the line varies between networks."""
        flipped = random.uniform(0.01, 0.06, TRIALS)
        slope, bend = random.normal(0.2, 0.1), random.normal(2.0, 1.5)
        line = slope * flipped + bend * flipped**2
        drop = line * (1 + 0.2 * random.standard_normal(TRIALS))
        return cls(flipped, np.clip(drop, -flipped, flipped))

    def hits(self, images: int, random: np.random.Generator) -> list[Hits]:
        """Return what some images show of them."""
        lost, gained = (self.flipped + self.drop) / 2, (self.flipped - self.drop) / 2
        found = []
        for a, b in zip(lost, gained, strict=True):
            n_lost, n_gained, _ = random.multinomial(images, [a, b, 1 - a - b])
            right = images * 9 // 10
            counts = {"lost": int(n_lost), "gained": int(n_gained)}
            found.append(Hits(images=images, correct=right - int(n_lost) + int(n_gained), **counts))
        return found


def searches(count: int, images: int) -> list[tuple[Truth, list[Hits], np.random.Generator]]:
    found = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        truth = Truth.drawn(random)
        found.append((truth, truth.hits(images, random), random))
    return found


def drops(hits: list[Hits]) -> Reals:
    return np.array([one.drop for one in hits])


class TestEstimate:
    @pytest.mark.parametrize("images", [1000, 5000])
    def test_over_all_trials_it_errs_less_than_what_was_seen(self, images: int) -> None:
        raw, shrunk = [], []
        for truth, hits, _ in searches(60, images):
            raw.append(np.mean((drops(hits) - truth.drop) ** 2))
            shrunk.append(np.mean((estimate(hits).drop - truth.drop) ** 2))
        assert np.mean(shrunk) < 0.6 * np.mean(raw)

    def test_of_those_that_were_chosen_for_their_luck_it_errs_much_less(self) -> None:
        raw, shrunk = [], []
        for truth, hits, _ in searches(120, 2000):
            # the noisiest that seems to hold: what a search would take for its best
            chosen = max(
                (i for i, one in enumerate(hits) if one.drop <= TOLERANCE / 2),
                key=lambda i: hits[i].lost + hits[i].gained,
            )
            raw.append(hits[chosen].drop - truth.drop[chosen])
            shrunk.append(estimate(hits).drop[chosen] - truth.drop[chosen])
        assert np.mean(raw) < -0.003  # it seemed to drop less than it does
        assert abs(np.mean(shrunk)) < abs(np.mean(raw)) / 2
        assert np.mean(np.square(shrunk)) < np.mean(np.square(raw)) / 3

    def test_it_knows_how_far_it_may_be_off(self) -> None:
        distances = []
        for truth, hits, _ in searches(60, 2000):
            found = estimate(hits)
            distances.append(np.mean(((found.drop - truth.drop) / found.deviation) ** 2))
        # 1 if just right; cautious, since here allocations do not share the luck of their images
        assert 0.3 < np.mean(distances) < 1.2

    def test_many_images_are_believed_more_than_the_line(self) -> None:
        few = Hits(images=100, correct=90, lost=4, gained=4)
        many = Hits(images=100_000, correct=90_000, lost=4000, gained=4000)
        alike = [Hits(images=100_000, correct=88_000, lost=5000, gained=3000 + n) for n in range(6)]
        off = [abs(float(estimate([one, *alike]).drop[0])) for one in (many, few)]
        assert off[0] < 0.001 < off[1]

    def test_one_trial_alone_is_drawn_towards_the_line_of_before(self) -> None:
        lucky = Hits(images=500, correct=450, lost=10, gained=10)
        (drop,) = estimate([lucky]).drop
        assert 0 < drop < 0.2 * 0.05 + 2 * 0.05**2

    def test_a_trial_that_flipped_nothing_is_expected_to_drop_next_to_nothing(self) -> None:
        found = estimate([Hits(images=1000, correct=900)])
        assert abs(float(found.drop[0])) < 0.0005
        assert 0 < found.deviation[0] < 0.002


class TestCertified:
    def test_of_what_is_so_likely_about_so_many_are_certified(self) -> None:
        chances, passed = [], []
        for truth, hits, random in searches(150, 2000):
            likely = estimate_among(hits, among=hits).certified(
                tolerance=TOLERANCE, images=2000, level=LEVEL
            )
            scores = [paired.score(one, tolerance=TOLERANCE) for one in truth.hits(2000, random)]
            chances.append(likely)
            passed.append(np.array(scores) >= ndtri(1 - LEVEL))
        chance, passes = np.concatenate(chances), np.concatenate(passed)
        steps = [(0.0, 0.05), (0.05, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.0)]
        groups = [(chance > low) & (chance <= high) for low, high in steps]
        assert min(group.sum() for group in groups) >= 100
        rates = [passes[group].mean() for group in groups]
        assert rates == sorted(rates)
        # a little too hopeful: the score's deviation is a little larger than that of the rates
        assert rates == pytest.approx([chance[group].mean() for group in groups], abs=0.15)

    def test_more_images_make_what_holds_likelier_and_a_lower_level_less(self) -> None:
        hits = [Hits(images=5000, correct=4495, lost=15, gained=10)]

        def likely(images: int, level: float) -> float:
            found = estimate_among(hits, among=hits).certified(
                tolerance=TOLERANCE, images=images, level=level
            )
            return float(found[0])

        assert likely(500, LEVEL) < likely(2000, LEVEL) < likely(20_000, LEVEL)
        assert likely(2000, 0.001) < likely(2000, 0.05)

    def test_the_order_is_that_of_the_trials_asked_about(self) -> None:
        good = Hits(images=2000, correct=1798, lost=6, gained=4)
        bad = Hits(images=2000, correct=1720, lost=100, gained=20)
        among = [bad, good, Hits(images=2000, correct=1790, lost=20, gained=10)]
        first, second = estimate_among([good, bad], among=among).certified(
            tolerance=TOLERANCE, images=2000, level=LEVEL
        )
        assert first > 0.9
        assert second < 0.01

    def test_what_flips_far_more_than_any_that_is_asked_about_says_nothing(self) -> None:
        asked = [Hits(images=2000, correct=1790, lost=20, gained=10)]
        near = Hits(images=2000, correct=1785, lost=35, gained=20)
        hopeless = Hits(images=16, correct=2, lost=13, gained=0)

        def likely(*others: Hits) -> float:
            among = [*asked, *others]
            found = estimate_among(asked, among=among).certified(
                tolerance=TOLERANCE, images=2000, level=LEVEL
            )
            return float(found[0])

        assert likely(hopeless) == likely()
        assert likely(near) != likely()
