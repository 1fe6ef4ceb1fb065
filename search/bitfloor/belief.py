"""What the trials so far say about where the measured energies are wrong.

The energy of an allocation is Σ_v exp(θ_v)·S_v over its variables, S_v being the measured energy of
the option that v takes. θ starts as normal with mean 0: one deviation that all variables share and
one of each variable's own. Every trial shows an energy, by the share of images that it flipped; the
posterior is found by Gauss-Newton steps (Laplace's approximation). All trials saw the same images,
whose luck they share: no number of them tells it from an energy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from search.bitfloor.response import GRID
from search.bitfloor.response import Response
from search.sensitivity import Reals
from search.trial import Hits

SHARED = 1.0  # standard deviation of what all θ share
OWN = 0.5  # of each variable's own
#: of an energy that is seen against the sum that it is taken for: errors are correlated
MISFIT = 0.15
#: the same per unit of the logarithm by which it is off the floor: only there the sum has to fit
MISFIT_AFAR = 0.3
#: of the sampling variance, the share that all allocations on the same images have in common
COMMON = 0.45
_STEPS = 8
_NEAR = 0.1  # log energy
_FLAT = 0.05  # the least slope, of a root of images by log energy
_LEAST = 1e-30  # energy, so that a logarithm exists


@dataclass(frozen=True, slots=True)
class Seen:
    """One trial as the belief takes it in."""

    #: (variables,) measured energies of the options taken
    energies: Reals
    hits: Hits


@dataclass(frozen=True, eq=False)
class Belief:
    """θ as normal with this mean and covariance."""

    #: (variables,)
    mean: Reals
    #: (variables, variables)
    covariance: Reals

    def log_energies(self, energies: Reals) -> tuple[Reals, Reals, Reals]:
        """Return the logarithm of allocations' energies, its deviation, and variables' shares.

        From the measured energies of the options taken, (allocations, variables), as the shares
        are; the others have shape (allocations,).
        """
        terms = self.mean + np.log(np.maximum(energies, _LEAST))
        totals: Reals = logsumexp(terms, axis=1)
        shares: Reals = np.exp(terms - totals[:, None])
        variances = np.einsum("av,vw,aw->a", shares, self.covariance, shares)
        return totals, np.sqrt(np.maximum(variances, 0.0)), shares

    def draw(self, random: np.random.Generator) -> Reals:
        """Return one θ that may well be the true one, shape (variables,)."""
        drawn: Reals = self.mean + self._spread @ random.standard_normal(len(self.mean))
        return drawn

    @cached_property
    def _spread(self) -> Reals:
        """A root of the covariance, shape (variables, variables)."""
        values, vectors = np.linalg.eigh(self.covariance)
        found: Reals = vectors * np.sqrt(np.maximum(values, 0.0))
        return found


def prior(variables: int) -> Belief:
    """Return the belief before any trial."""
    covariance = np.full((variables, variables), SHARED**2) + OWN**2 * np.eye(variables)
    return Belief(np.zeros(variables), covariance)


def posterior(before: Belief, seen: Sequence[Seen], *, response: Response, floor: float) -> Belief:
    """Return the belief after some trials; `floor` is the log energy near which it has to fit."""
    if not seen:
        return before
    shown = Shown.of([one.hits for one in seen], response)
    misfit = MISFIT + MISFIT_AFAR * np.abs(shown.log_energy - floor)
    inverse = np.linalg.inv(before.covariance)
    mean, precision = before.mean, inverse
    logs = np.log(np.maximum(np.stack([one.energies for one in seen]), _LEAST))
    for _ in range(_STEPS):
        terms = mean + logs
        totals = logsumexp(terms, axis=1)
        shares = np.exp(terms - totals[:, None])
        sampling = shown.deviation(totals)
        luck = np.sqrt(COMMON) * sampling
        weights = 1 / ((1 - COMMON) * sampling**2 + misfit**2)
        # the noise has covariance diag(1 / weights) + luck·luckᵀ: Sherman & Morrison's inverse
        known = weights * luck / np.sqrt(1 + luck @ (weights * luck))
        precision = inverse + (shares.T * weights) @ shares
        precision -= np.outer(shares.T @ known, shares.T @ known)
        # of the linear model around the present mean
        target = shown.log_energy - totals + shares @ mean
        pull = weights * target - known * (known @ target)
        mean = np.linalg.solve(precision, shares.T @ pull)
    return Belief(mean, np.linalg.inv(precision))


@dataclass(frozen=True, eq=False)
class Shown:
    """What trials show of their energies, all arrays of shape (trials,)."""

    response: Response
    images: Reals
    #: at which as many images are flipped
    log_energy: Reals

    @classmethod
    def of(cls, hits: Sequence[Hits], response: Response) -> "Shown":
        """Return what these trials show."""
        images = np.array([one.images for one in hits], dtype=float)
        flipped = np.array([one.lost + one.gained for one in hits], dtype=float)
        # half an image more: of none the logarithm has to exist
        shares = np.minimum((flipped + 0.5) / (images + 1), 1.0)
        found = np.array([response.log_energy(share) for share in shares])
        return cls(response, images, found)

    def deviation(self, log_energy: Reals) -> Reals:
        """Return that of the shown energies by the luck of the images, were these the true ones.

        The root of a count deviates by 1/2 whatever its mean (Anscombe 1948), so it is 1/2 by the
        slope between the two energies of the root of what they flip.
        """
        # never the same point twice, for the slope to exist
        apart = self.log_energy - log_energy
        apart = np.where(np.abs(apart) < _NEAR, _NEAR, apart)
        here, there = (self._root(at) for at in (self.log_energy - apart, self.log_energy))
        slope = np.maximum((there - here) / apart, _FLAT)
        found: Reals = 0.5 / slope
        return found

    def _root(self, log_energy: Reals) -> Reals:
        expected = self.images * np.interp(log_energy, GRID, self.response.discordant)
        found: Reals = np.sqrt(expected + 3 / 8)
        return found
