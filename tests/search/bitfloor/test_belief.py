"""The belief comes to what simulated trials were made with, and knows how far it may be off."""

import numpy as np
import pytest

from search.bitfloor import belief
from search.bitfloor.belief import COMMON
from search.bitfloor.belief import OWN
from search.bitfloor.belief import SHARED
from search.bitfloor.belief import Belief
from search.bitfloor.belief import Seen
from search.bitfloor.belief import Shown
from search.bitfloor.response import GRID
from search.bitfloor.response import Response
from search.sensitivity import Reals
from search.trial import Hits

VARIABLES = 6
IMAGES = 4000
RESPONSE = Response.of(np.random.default_rng(1).normal(3, 2, 500), accuracy=0.9)
FLOOR = -1.0  # log energy


def options(random: np.random.Generator, trials: int) -> Reals:
    """Return measured energies of the options that trials take, around the floor."""
    spread = np.exp(random.uniform(-2, 2, (trials, VARIABLES)))
    scaled: Reals = spread / VARIABLES * np.exp(FLOOR)
    return scaled


def seen(energies: Reals, theta: Reals, random: np.random.Generator) -> Seen:
    """Return a trial whose images flip as the true energy has it."""
    share = np.interp(np.log((np.exp(theta) * energies).sum()), GRID, RESPONSE.discordant)
    flipped = int(random.binomial(IMAGES, share))
    lost = flipped * 3 // 4
    hits = Hits(
        images=IMAGES, correct=3600 - lost + (flipped - lost), lost=lost, gained=flipped - lost
    )
    return Seen(energies, hits)


def after(theta: Reals, trials: int, seed: int) -> Belief:
    random = np.random.default_rng(seed)
    shown = [seen(row, theta, random) for row in options(random, trials)]
    return belief.posterior(belief.prior(VARIABLES), shown, response=RESPONSE, floor=FLOOR)


class TestPrior:
    def test_measured_energies_are_taken_as_they_are(self) -> None:
        energies = np.array([1.0, 2.0, 0.0, 0.5, 0.5, 0.0])
        (mean,), *_ = belief.prior(VARIABLES).log_energies(energies[None])
        assert mean == pytest.approx(np.log(4.0))

    def test_one_variable_is_as_doubtful_as_both_deviations_together(self) -> None:
        _, (deviation,), _ = belief.prior(VARIABLES).log_energies(np.eye(VARIABLES)[2:3])
        assert deviation == pytest.approx(np.hypot(SHARED, OWN))

    def test_of_many_variables_the_deviations_of_their_own_average_out(self) -> None:
        _, (deviation,), _ = belief.prior(VARIABLES).log_energies(np.ones((1, VARIABLES)))
        assert deviation == pytest.approx(np.hypot(SHARED, OWN / np.sqrt(VARIABLES)))


class TestPosterior:
    def test_without_trials_it_is_the_prior(self) -> None:
        before = belief.prior(VARIABLES)
        assert belief.posterior(before, [], response=RESPONSE, floor=FLOOR) is before

    def test_trials_that_show_what_was_measured_leave_it_so(self) -> None:
        found = after(np.zeros(VARIABLES), 30, seed=5)
        assert np.abs(found.mean).max() < 0.3

    @pytest.mark.parametrize("seed", range(4))
    def test_it_recovers_what_the_trials_were_made_with(self, seed: int) -> None:
        random = np.random.default_rng(seed + 100)
        theta = SHARED * random.standard_normal() + OWN * random.standard_normal(VARIABLES)
        found = after(theta, 40, seed=seed)
        assert np.sqrt(np.mean((found.mean - theta) ** 2)) < 0.3
        for energies in options(random, 20):
            (mean,), *_ = found.log_energies(energies[None])
            assert mean == pytest.approx(np.log((np.exp(theta) * energies).sum()), abs=0.3)

    def test_a_truth_drawn_from_the_prior_lies_as_far_off_as_it_says(self) -> None:
        distances = []
        for seed in range(60):
            random = np.random.default_rng(seed)
            theta = SHARED * random.standard_normal() + OWN * random.standard_normal(VARIABLES)
            found = after(theta, 8, seed=seed + 1000)
            off = found.mean - theta
            distances.append(off @ np.linalg.solve(found.covariance, off) / VARIABLES)
        # 1 if just right; cautious, since energies add up here and the belief allows for misfit
        assert 0.4 < np.mean(distances) < 1.3

    def test_it_is_surer_the_more_trials_it_has_seen(self) -> None:
        theta = np.linspace(-0.5, 0.5, VARIABLES)
        energies = np.full(VARIABLES, np.exp(FLOOR) / VARIABLES)
        found = [belief.prior(VARIABLES), *(after(theta, n, seed=2) for n in (1, 5, 20, 80))]
        deviations = [one.log_energies(energies[None])[1][0] for one in found]
        assert deviations == sorted(deviations, reverse=True)
        assert deviations[1] < deviations[0] / 2
        assert deviations[-1] < deviations[1] / 2

    def test_luck_that_trials_share_is_not_averaged_out(self) -> None:
        energies = np.full(VARIABLES, np.exp(FLOOR) / VARIABLES)
        shown = seen(energies, np.zeros(VARIABLES), np.random.default_rng(0))
        found = belief.posterior(
            belief.prior(VARIABLES), [shown] * 500, response=RESPONSE, floor=FLOOR
        )
        luck = Shown.of([shown.hits], RESPONSE).deviation(np.array([FLOOR]))[0]
        (deviation,) = found.log_energies(energies[None])[1]
        assert deviation == pytest.approx(np.sqrt(COMMON) * luck, rel=0.1)

    def test_what_was_seen_far_from_the_floor_moves_it_less(self) -> None:
        energies = np.full(VARIABLES, np.exp(FLOOR) / VARIABLES)
        shown = seen(energies, np.ones(VARIABLES), np.random.default_rng(0))
        near, far = (
            belief.posterior(belief.prior(VARIABLES), [shown], response=RESPONSE, floor=floor)
            for floor in (FLOOR + 1, FLOOR - 6)
        )
        assert 0 < far.mean[0] < near.mean[0]

    def test_a_trial_that_flipped_nothing_can_be_learned_from(self) -> None:
        shown = Seen(np.full(VARIABLES, 1e-6), Hits(images=IMAGES, correct=3600))
        found = belief.posterior(belief.prior(VARIABLES), [shown], response=RESPONSE, floor=FLOOR)
        assert np.isfinite(found.mean).all()
        assert np.isfinite(found.covariance).all()


class TestShown:
    @pytest.mark.parametrize("images", [60, 500, 4000])
    def test_its_deviation_is_that_of_repeated_samples(self, images: int) -> None:
        """Also where hardly an image is flipped, and where none is."""
        random = np.random.default_rng(6)
        share = float(np.interp(FLOOR, GRID, RESPONSE.discordant))
        flipped = random.binomial(images, share, 400)
        hits = [Hits(images=images, correct=images - n, lost=n) for n in flipped.tolist()]
        shown = Shown.of(hits, RESPONSE)
        off = (shown.log_energy - FLOOR) / shown.deviation(np.full(400, FLOOR))
        assert np.std(off) == pytest.approx(1.0, abs=0.15)
        assert abs(np.mean(off)) < 0.25

    def test_what_lies_far_off_has_a_deviation_too(self) -> None:
        shown = Shown.of([Hits(images=32, correct=0, lost=32)], RESPONSE)
        for log_energy in (GRID[0], GRID[-1], shown.log_energy[0]):
            (deviation,) = shown.deviation(np.array([log_energy]))
            assert 0 < deviation < np.inf


class TestDraw:
    def test_draws_have_the_mean_and_covariance_of_the_belief(self) -> None:
        found = after(np.linspace(-1, 1, VARIABLES), 3, seed=9)
        random = np.random.default_rng(0)
        draws = np.stack([found.draw(random) for _ in range(20_000)])
        np.testing.assert_allclose(draws.mean(axis=0), found.mean, atol=0.02)
        np.testing.assert_allclose(np.cov(draws.T), found.covariance, atol=0.02)
