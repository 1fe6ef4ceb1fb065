"""How likely allocations are to hold: a Gaussian process on what their trials were short of.

An allocation is short of the floor by the share of images that must no longer be lost. What the
response expects of its energy is the mean of the process. Its covariance has three parts: of the
flipped images more are lost than the response has it, by a factor κ that all allocations share;
allocations are evaluated on the same images, whose luck they share; and two allocations make the
same errors as far as they take the same options, weighed by energy. So a trial says most about its
neighbours, and what just missed is not tried again with one option changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor
from scipy.linalg import cho_solve
from scipy.special import ndtr

from search.bitfloor.belief import COMMON
from search.bitfloor.response import GRID
from search.bitfloor.response import Response
from search.frontier_fold import Places
from search.racing import Race
from search.sensitivity import Reals
from search.trial import Hits

#: standard deviation of κ, of mean 1, before any trial
FACTOR_SPREAD = 0.4
#: of the sampling variance, the share that two allocations have in common beside COMMON, as the
#: square of their overlap grows to 1: equal errors flip the same images
COPIED = 0.4
#: standard deviation of an allocation's own log energy that the belief does not know of
MISFIT = 0.3
_LEAST = 1e-12  # variance


@dataclass(frozen=True, eq=False)
class Expectation:
    """What the response and the race expect at the energies of GRID."""

    response: Response
    race: Race
    #: images of the certification split; None: no certificate is asked for
    certificate: int | None = None

    @cached_property
    def net(self) -> Reals:
        """The drop, but for the factor κ, shape (len(GRID),)."""
        return self.response.lost - self.response.gained

    @cached_property
    def short(self) -> Reals:
        """The share of images that must no longer be lost, shape (len(GRID),)."""
        images = self.race.baseline.images
        gained = self.response.gained * images
        allowed = np.interp(gained, np.arange(images + 1), self.race.most_lost)
        # half an image: counts are whole
        short: Reals = self.response.lost - (allowed + 0.5) / images
        return short

    @cached_property
    def slope(self) -> Reals:
        """By how much it is shorter per unit of log energy, shape (len(GRID),)."""
        found: Reals = np.gradient(self.short, GRID)
        return found

    @property
    def floor(self) -> float:
        """The log energy up to which an allocation is expected to hold."""
        missed = np.flatnonzero(self.short > 0)
        return float(GRID[max(missed[0] - 1, 0)] if missed.size else GRID[-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class Bets:
    """Some allocations by their energies."""

    #: (allocations, variables), what each option is numbered in its menu
    options: Places
    #: (allocations, variables), the share of the allocation's energy that each variable has
    shares: Reals
    #: (allocations,), mean and standard deviation
    log_energy: Reals
    deviation: Reals

    def overlap(self, other: "Bets") -> Reals:
        """Return the share of the energy that two allocations have in common, one row for each."""
        found = np.zeros((len(self.options), len(other.options)))
        for v in range(self.options.shape[1]):
            same = self.options[:, v, None] == other.options[None, :, v]
            found += same * np.minimum(self.shares[:, v, None], other.shares[None, :, v])
        return found


@dataclass(frozen=True, eq=False)
class Outlook:
    """The process given the trials so far."""

    expectation: Expectation
    trials: Bets
    hits: Sequence[Hits]

    def probability(self, bets: Bets) -> Reals:
        """Return how likely each allocation is to hold on the search split, shape (allocations,).

        If a certificate is asked for, to be certified too: two chances, taken to be independent.
        """
        held = self._holds(bets, elsewhere=False)
        if self.expectation.certificate is None:
            return held
        return held * self.certified(bets)

    def certified(self, bets: Bets) -> Reals:
        """Return how likely each allocation is to hold on the certification split."""
        return self._holds(bets, elsewhere=True)

    def _holds(self, bets: Bets, *, elsewhere: bool) -> Reals:
        mean, variance = self.short(bets, elsewhere=elsewhere)
        likely: Reals = ndtr(-mean / np.sqrt(variance))
        return likely

    def short(self, bets: Bets, *, elsewhere: bool = False) -> tuple[Reals, Reals]:
        """Return mean and variance of the share that each is short of the floor, (allocations,)."""
        mean, own = self._at(bets.log_energy, self.expectation.short), self._own(bets)
        # every allocation's variance before any trial: the covariance with itself
        luck = self._sampling(bets) ** 2
        variance = self._lasting_variance(bets) + own**2 + (0.0 if elsewhere else luck)
        if self.hits:
            overlap = bets.overlap(self.trials)
            across = self._lasting(bets, self.trials, overlap=overlap)
            if not elsewhere:
                across = across + self._luck(bets, self.trials, overlap=overlap)
            solved = cho_solve(self._factor, across.T)
            mean = mean + across @ self._residuals
            variance = variance - np.einsum("at,ta->a", across, solved)
        variance = np.maximum(variance, _LEAST)
        if elsewhere:
            images = self.expectation.certificate or self.expectation.race.baseline.images
            variance = variance + luck * self.expectation.race.baseline.images / images
        return mean, variance

    def _lasting(self, a: Bets, b: Bets, *, overlap: Reals) -> Reals:
        """Return the covariance that is not the images': of κ, and of what energies miss."""
        net_a, net_b = (self._at(x.log_energy, self.expectation.net) for x in (a, b))
        energy_a, energy_b = (MISFIT * self._slope(x) for x in (a, b))
        found: Reals = (
            FACTOR_SPREAD**2 * np.outer(net_a, net_b) + np.outer(energy_a, energy_b) * overlap
        )
        return found

    def _luck(self, a: Bets, b: Bets, *, overlap: Reals) -> Reals:
        """Return the covariance that comes of the same images."""
        found: Reals = np.outer(self._sampling(a), self._sampling(b)) * (
            COMMON + COPIED * overlap**2
        )
        return found

    def _lasting_variance(self, bets: Bets) -> Reals:
        net = self._at(bets.log_energy, self.expectation.net)
        found: Reals = (FACTOR_SPREAD * net) ** 2 + (MISFIT * self._slope(bets)) ** 2
        return found

    @cached_property
    def _factor(self) -> tuple[Reals, bool]:
        total = self.expectation.race.baseline.images
        seen = np.array([one.images for one in self.hits])
        # what the rest of the images would still say; a complete trial leaves a rounding error
        luck = self._sampling(self.trials) ** 2
        rest = luck * (total / seen - 1) + luck * (1 - COMMON - COPIED)
        overlap = self.trials.overlap(self.trials)
        covariance = self._lasting(self.trials, self.trials, overlap=overlap)
        covariance += self._luck(self.trials, self.trials, overlap=overlap)
        factor: tuple[Reals, bool] = cho_factor(covariance + np.diag(rest + 1 / total**2))
        return factor

    @cached_property
    def _residuals(self) -> Reals:
        race = self.expectation.race
        short = np.array([race.constraint(one) for one in self.hits])
        expected = self._at(self.trials.log_energy, self.expectation.short)
        found: Reals = cho_solve(self._factor, short - expected)
        return found

    def _sampling(self, bets: Bets) -> Reals:
        total = self.expectation.race.baseline.images
        flipped = self._at(bets.log_energy, self.expectation.response.discordant)
        return np.sqrt(np.maximum(flipped, 1 / total) / total)

    def _own(self, bets: Bets) -> Reals:
        return self._slope(bets) * bets.deviation

    def _slope(self, bets: Bets) -> Reals:
        return self._at(bets.log_energy, self.expectation.slope)

    @staticmethod
    def _at(log_energy: Reals, of: Reals) -> Reals:
        found: Reals = np.interp(log_energy, GRID, of)
        return found
