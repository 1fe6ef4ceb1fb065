"""What the trials so far say about where the measured energies are wrong.

The energy of an allocation is Σ_v exp(θ_v)·S_v over its variables, S_v being the measured energy of
the option that v takes. θ starts as normal with mean 0: one deviation that all variables share and
one of each variable's own. Every trial shows an energy, by the share of images that it flipped; the
posterior is found by Gauss-Newton steps (Laplace's approximation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from search.bitfloor.response import Response
from search.sensitivity import Reals
from search.trial import Hits

SHARED = 1.0  # standard deviation of what all θ share
OWN = 0.5  # of each variable's own
#: of an energy that is seen against the sum that it is taken for: errors are correlated
MISFIT = 0.15
#: the same per unit of the logarithm by which it is off the floor: only there the sum has to fit
MISFIT_AFAR = 0.3
_STEPS = 8
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
        values, vectors = np.linalg.eigh(self.covariance)
        spread = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn: Reals = self.mean + spread @ random.standard_normal(len(self.mean))
        return drawn


def prior(variables: int) -> Belief:
    """Return the belief before any trial."""
    covariance = np.full((variables, variables), SHARED**2) + OWN**2 * np.eye(variables)
    return Belief(np.zeros(variables), covariance)


def posterior(before: Belief, seen: Sequence[Seen], *, response: Response, floor: float) -> Belief:
    """Return the belief after some trials; `floor` is the log energy near which it has to fit."""
    if not seen:
        return before
    shown = [_shown(one.hits, response, floor=floor) for one in seen]
    inverse = np.linalg.inv(before.covariance)
    mean, precision = before.mean, inverse
    logs = np.log(np.maximum(np.stack([one.energies for one in seen]), _LEAST))
    wanted = np.array([value for value, _ in shown])
    weights = np.array([1 / variance for _, variance in shown])
    for _ in range(_STEPS):
        terms = mean + logs
        totals = logsumexp(terms, axis=1)
        shares = np.exp(terms - totals[:, None])
        precision = inverse + shares.T @ (weights[:, None] * shares)
        # of the linear model around the present mean
        target = wanted - totals + shares @ mean
        mean = np.linalg.solve(precision, shares.T @ (weights * target))
    return Belief(mean, np.linalg.inv(precision))


def _shown(hits: Hits, response: Response, *, floor: float) -> tuple[float, float]:
    """Return the log energy that a trial shows and its variance."""
    flipped = hits.lost + hits.gained + 0.5  # never none: the logarithm has to exist
    value, slope = response.energy(min(flipped / (hits.images + 1), 1.0))
    misfit = MISFIT + MISFIT_AFAR * abs(value - floor)
    return value, slope**2 / flipped + misfit**2
