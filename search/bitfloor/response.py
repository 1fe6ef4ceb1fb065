"""How many images a given energy flips, from the margins of the float model.

If quantization changes the margin m of an image by a normal deviate of variance E, the energy, the
image is flipped with probability Φ(-|m| / √E): lost if the float model has it right, else gained.
Of images so near to the boundary that they may be flipped a sample has few, and how many more of
them are right than wrong decides the drop. So right or wrong is not taken as it fell, but as the
model's calibration has it (Guo et al. 2017): a margin of ±|m| is positive with probability
1 / (1 + exp(-t·|m|)), the sharpness t being fitted to all margins.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.special import ndtr

from search.sensitivity import Reals

#: natural logarithms of the energies, in squared logits, between which is interpolated
GRID: Reals = np.linspace(-14.0, 12.0, 521)
#: median and standard deviation, of the logarithm, of the sharpness before any margin is seen
SHARPNESS, SHARPNESS_SPREAD = 1.0, 1.0


@dataclass(frozen=True, eq=False)
class Response:
    """Rates of lost and gained images at the energies of GRID."""

    #: (len(GRID),)
    lost: Reals
    gained: Reals

    @classmethod
    def of(cls, margins: Reals, *, accuracy: float) -> "Response":
        """Return the response of images with these margins, shape (images,).

        They are weighed so that the float model has the given share of them right.
        """
        weights = _weights(margins, accuracy)
        distances = _distances(margins)
        likely = expit(_sharpness(margins, weights) * distances)
        noise = np.exp(GRID / 2)[:, None]
        flipped = ndtr(-distances / noise) * weights
        return cls(flipped @ likely, flipped @ (1 - likely))

    @property
    def discordant(self) -> Reals:
        """Share of images lost or gained at the energies of GRID, not falling."""
        return np.maximum.accumulate(self.lost + self.gained)

    def log_energy(self, discordant: float) -> float:
        """Return the logarithm of the energy at which such a share of the images is flipped."""
        # strictly rising, or interpolation would be free to choose
        rising = np.log(np.maximum(self.discordant, 1e-12)) + np.arange(len(GRID)) * 1e-9
        return float(np.interp(np.log(discordant), rising, GRID))


def _weights(margins: Reals, accuracy: float) -> Reals:
    """Return what each image counts, 1 in all; all the same if all are right, or none is."""
    right = margins > 0
    share = float(right.mean())
    if share in (0.0, 1.0):
        return np.full(len(margins), 1 / len(margins))
    weights: Reals = np.where(right, accuracy / share, (1 - accuracy) / (1 - share)) / len(margins)
    return weights


def _distances(margins: Reals) -> Reals:
    """Return how far from the boundary images are, shape (images,).

    The √n / 2 nearest are spread evenly up to the next one, as the density at the boundary is
    found by its neighbours (Loftsgaarden & Quesenberry 1965): of images so near that a little
    energy flips them, a sample of hundreds may have none where there are some in thousands.
    """
    found: Reals = np.abs(margins)
    near = round(len(margins) ** 0.5 / 2)
    order = np.argsort(found)
    if near < len(margins):
        found[order[:near]] = (np.arange(near) + 0.5) / near * found[order[near]]
    return found


def _sharpness(margins: Reals, weights: Reals) -> float:
    """Return the likeliest sharpness, given a log-normal one before."""

    def surprise(log: float) -> float:
        missed = np.logaddexp(0, -np.exp(log) * margins)
        before = (log - np.log(SHARPNESS)) / SHARPNESS_SPREAD
        return float(len(margins) * weights @ missed + before**2 / 2)

    # a bounded search: a sample without a wrong image would have it endless
    found = minimize_scalar(surprise, bounds=(-5.0, 5.0), method="bounded")
    return float(np.exp(found.x))
