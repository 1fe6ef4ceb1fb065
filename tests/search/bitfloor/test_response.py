"""Rates of flipped images are those of margins that are really disturbed, and can be inverted."""

import numpy as np
import pytest
from scipy.special import ndtr

from search.bitfloor.response import GRID
from search.bitfloor.response import Response
from search.sensitivity import Reals

#: margins normal like this are positive with probability 1 / (1 + exp(-t·|m|)), t = 2·MEAN/SPREAD²
MEAN, SPREAD = 2.5, 2.0
RANDOM = np.random.default_rng(3)
MARGINS = RANDOM.normal(MEAN, SPREAD, 4000)
SHARE = float(ndtr(MEAN / SPREAD))


def at(log_energy: float, values: Reals) -> float:
    return float(np.interp(log_energy, GRID, values))


def disturbed(energy: float) -> tuple[float, float]:
    """Return the shares that are really lost and gained by noise of that variance."""
    random = np.random.default_rng(4)
    margins = random.normal(MEAN, SPREAD, 1_000_000)
    right, still = margins > 0, margins + np.sqrt(energy) * random.standard_normal(1_000_000) > 0
    return float((right & ~still).mean()), float((~right & still).mean())


class TestRates:
    @pytest.mark.parametrize("energy", [0.01, 0.3, 1.0, 4.0, 60.0])
    def test_they_are_those_of_margins_with_noise_of_that_variance(self, energy: float) -> None:
        lost, gained = disturbed(energy)
        response = Response.of(MARGINS, accuracy=SHARE)
        assert at(np.log(energy), response.lost) == pytest.approx(lost, rel=0.1)
        assert at(np.log(energy), response.gained) == pytest.approx(gained, rel=0.1)

    @pytest.mark.parametrize("energy", [0.3, 1.0])
    def test_a_few_images_tell_the_drop_better_than_their_labels_do(self, energy: float) -> None:
        lost, gained = disturbed(energy)
        random = np.random.default_rng(8)
        off, counted = [], []
        for _ in range(200):
            few = random.normal(MEAN, SPREAD, 256)
            response = Response.of(few, accuracy=SHARE)
            off.append(at(np.log(energy), response.lost - response.gained) - (lost - gained))
            flips = np.sign(few) * ndtr(-np.abs(few) / np.sqrt(energy))
            counted.append(flips.mean() - (lost - gained))
        assert abs(np.mean(off)) < 0.1 * (lost - gained)
        assert np.std(off) < 0.5 * np.std(counted)

    def test_margins_are_weighed_to_the_accuracy_of_the_search_split(self) -> None:
        low, high = (Response.of(MARGINS, accuracy=accuracy) for accuracy in (0.6, 0.99))
        assert at(0.0, low.gained) > 2 * at(0.0, high.gained)
        assert low.lost[-1] < high.lost[-1]

    def test_no_noise_flips_nothing_and_endless_noise_half_of_all(self) -> None:
        response = Response.of(MARGINS, accuracy=SHARE)
        assert response.discordant[0] == pytest.approx(0, abs=1e-3)
        assert response.discordant[-1] == pytest.approx(0.5, abs=0.01)
        assert (np.diff(response.discordant) >= 0).all()

    def test_a_little_noise_flips_some_even_if_no_image_of_the_sample_is_near(self) -> None:
        few = np.abs(RANDOM.normal(5.0, 1.0, 100)) + 1.0
        assert 1e-5 < at(-4.0, Response.of(few, accuracy=1.0).discordant) < 0.01

    def test_a_sample_without_a_wrong_image_loses_more_than_it_gains(self) -> None:
        response = Response.of(np.abs(MARGINS[:100]) + 0.1, accuracy=1.0)
        assert response.gained.any()
        assert at(0.0, response.lost) > 3 * at(0.0, response.gained)

    def test_a_sample_without_a_right_image_still_gives_rates(self) -> None:
        response = Response.of(-np.abs(MARGINS[:100]) - 0.1, accuracy=0.4)
        assert np.isfinite(response.lost).all()
        assert response.gained[-1] > 0.2


class TestLogEnergy:
    RESPONSE = Response.of(MARGINS, accuracy=SHARE)

    @pytest.mark.parametrize("log_energy", [-3.0, -1.03, 0.0, 1.5, 3.21])
    def test_it_is_the_energy_that_flips_so_many(self, log_energy: float) -> None:
        found = self.RESPONSE.log_energy(at(log_energy, self.RESPONSE.discordant))
        assert found == pytest.approx(log_energy, abs=0.01)

    @pytest.mark.parametrize("share", [1e-9, 1.0])
    def test_shares_out_of_reach_give_the_ends(self, share: float) -> None:
        assert GRID[0] <= self.RESPONSE.log_energy(share) <= GRID[-1]

    def test_more_flipped_images_never_mean_less_energy(self) -> None:
        found = [self.RESPONSE.log_energy(share) for share in np.linspace(0.001, 0.6, 80)]
        assert found == sorted(found)
