"""Rates of flipped images are those of margins that are really disturbed, and can be inverted."""

import numpy as np
import pytest

from search.bitfloor.response import GRID
from search.bitfloor.response import Response
from search.sensitivity import Reals

RANDOM = np.random.default_rng(3)
MARGINS = RANDOM.normal(2.5, 2.0, 600)
SHARE = float((MARGINS > 0).mean())


def at(log_energy: float, values: Reals) -> float:
    return float(np.interp(log_energy, GRID, values))


class TestRates:
    @pytest.mark.parametrize("energy", [0.01, 0.3, 1.0, 4.0, 60.0])
    def test_they_are_those_of_margins_with_noise_of_that_variance(self, energy: float) -> None:
        noise = np.sqrt(energy) * RANDOM.standard_normal((1000, len(MARGINS)))
        right, still = MARGINS > 0, MARGINS + noise > 0
        response = Response.of(MARGINS, accuracy=SHARE)
        assert at(np.log(energy), response.lost) == pytest.approx(
            (right & ~still).mean(), rel=0.03, abs=1e-4
        )
        assert at(np.log(energy), response.gained) == pytest.approx(
            (~right & still).mean(), rel=0.03, abs=1e-4
        )

    @pytest.mark.parametrize("accuracy", [0.5, 0.99])
    def test_margins_are_weighed_to_the_accuracy_of_the_search_split(self, accuracy: float) -> None:
        response = Response.of(MARGINS, accuracy=accuracy)
        as_it_is = Response.of(MARGINS, accuracy=SHARE)
        np.testing.assert_allclose(response.lost, as_it_is.lost * accuracy / SHARE)
        np.testing.assert_allclose(response.gained, as_it_is.gained * (1 - accuracy) / (1 - SHARE))

    def test_no_noise_flips_nothing_and_endless_noise_half_of_all(self) -> None:
        response = Response.of(MARGINS, accuracy=SHARE)
        assert response.discordant[0] == pytest.approx(0, abs=1e-3)
        assert response.discordant[-1] == pytest.approx(0.5, abs=0.01)
        assert (np.diff(response.discordant) >= 0).all()

    def test_a_sample_without_a_wrong_image_gains_none(self) -> None:
        response = Response.of(np.abs(MARGINS) + 0.1, accuracy=1.0)
        assert not response.gained.any()
        assert response.lost[-1] > 0.4

    def test_a_sample_without_a_right_image_still_gives_rates(self) -> None:
        response = Response.of(-np.abs(MARGINS) - 0.1, accuracy=0.4)
        assert np.isfinite(response.lost).all()
        assert response.gained[-1] > 0.2


class TestEnergy:
    RESPONSE = Response.of(MARGINS, accuracy=SHARE)

    @pytest.mark.parametrize("log_energy", [-3.0, -1.03, 0.0, 1.5, 3.21])
    def test_it_is_the_energy_that_flips_so_many(self, log_energy: float) -> None:
        found, _ = self.RESPONSE.energy(at(log_energy, self.RESPONSE.discordant))
        assert found == pytest.approx(log_energy, abs=0.01)

    @pytest.mark.parametrize("log_energy", [-3.0, 0.0, 2.0])
    def test_the_slope_is_how_its_logarithm_grows_with_that_of_the_share(
        self, log_energy: float
    ) -> None:
        share = at(log_energy, self.RESPONSE.discordant)
        _, slope = self.RESPONSE.energy(share)
        (low, _), (high, _) = self.RESPONSE.energy(share * 0.95), self.RESPONSE.energy(share * 1.05)
        assert slope == pytest.approx((high - low) / np.log(1.05 / 0.95), rel=0.05)

    @pytest.mark.parametrize("share", [1e-9, 1.0])
    def test_shares_out_of_reach_give_the_ends(self, share: float) -> None:
        found, slope = self.RESPONSE.energy(share)
        assert GRID[0] <= found <= GRID[-1]
        assert np.isfinite(slope)
        assert slope > 0

    def test_more_flipped_images_never_mean_less_energy(self) -> None:
        found = [self.RESPONSE.energy(share)[0] for share in np.linspace(0.001, 1, 200)]
        assert found == sorted(found)
