"""How many images a given energy flips, from the margins of the float model.

If quantization changes the margin m of an image by a normal deviate of variance E, the energy, the
image is missed with probability Φ(-m / √E): of those that the float model has right that many are
lost, and of those it has wrong, Φ(m / √E) are gained.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from search.sensitivity import Reals

#: natural logarithms of the energies, in squared logits, between which is interpolated
GRID: Reals = np.linspace(-14.0, 12.0, 521)


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
        noise = np.exp(GRID / 2)[:, None]
        missed = ndtr(-margins[None, :] / noise)
        right = margins > 0
        lost = missed[:, right].mean(axis=1) if right.any() else np.full(len(GRID), 0.5)
        gained = 1 - missed[:, ~right].mean(axis=1) if not right.all() else np.zeros(len(GRID))
        return cls(accuracy * lost, (1 - accuracy) * gained)

    @property
    def discordant(self) -> Reals:
        """Share of images lost or gained at the energies of GRID, not falling."""
        return np.maximum.accumulate(self.lost + self.gained)

    def energy(self, discordant: float) -> tuple[float, float]:
        """Return the logarithm of the energy at which so many images are flipped, and its slope.

        The slope is that of the logarithm of the energy against the logarithm of the share.
        """
        shares = np.log(np.maximum(self.discordant, 1e-12))
        wanted = np.log(discordant)
        # strictly rising, or interpolation would be free to choose
        rising = shares + np.arange(len(GRID)) * 1e-9
        at = float(np.interp(wanted, rising, GRID))
        step = 0.25
        low, high = np.interp([at - step, at + step], GRID, rising)
        return at, 2 * step / max(float(high - low), 0.05)
