"""What a trial is likely to lose on other images, where it is not as lucky as where it was chosen.

Of many trials the best ones were lucky too. How many images an allocation flips is known well after
one pass; how many more of them are lost than gained is not. But trials that flip alike drop alike,
so a trial's drop is drawn towards the line through all of them: the empirical Bayes estimate of
Efron & Morris (1975), with a line for a mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.special import ndtri

from search.trial import Hits

Reals = npt.NDArray[np.float64]

#: the line before any trial: drop / flipped = a + b·flipped, means and standard deviations
_BEFORE = np.array([0.2, 2.0])
_SPREAD = np.array([0.4, 4.0])
#: how far trials that flip alike lie from the line, as a share of the drop there, and at least
_OFF, _OFF_LEAST = 0.25, 0.0005
#: of the sampling variance, what all trials on the same images have in common: no line removes it
_COMMON = 0.3
#: trials that flip so many times more images than any that is asked about say nothing about it
_AFAR = 2.0


@dataclass(frozen=True, eq=False)
class Estimates:
    """Of some trials, in their order."""

    #: (trials,) share of images lost or gained
    flipped: Reals
    #: (trials,) the drop to expect on other images, and the standard deviation of that
    drop: Reals
    deviation: Reals

    def certified(self, *, tolerance: float, images: int, level: float) -> Reals:
        """Return how likely each trial is to be certified on so many other images, at a level."""
        error = np.sqrt(self.flipped / images)
        distance = tolerance - self.drop - ndtri(1 - level) * error
        likely: Reals = ndtr(distance / np.hypot(self.deviation, error))
        return likely


def estimate_among(trials: Sequence[Hits], *, among: Sequence[Hits]) -> Estimates:
    """Return the estimates of some trials; `among` are all trials on the same images."""
    most = _AFAR * max(_flipped(hits) for hits in trials)
    asked = set(trials)
    others = [hits for hits in among if _flipped(hits) <= most and hits not in asked]
    found, count = estimate([*trials, *others]), len(trials)
    return Estimates(found.flipped[:count], found.drop[:count], found.deviation[:count])


def _flipped(hits: Hits) -> float:
    # half an image more than was seen: none is too sure
    return (hits.lost + hits.gained + 0.5) / (hits.images + 1)


def estimate(trials: Sequence[Hits]) -> Estimates:
    """Return the estimates of trials on the same images, at least one."""
    images = np.array([hits.images for hits in trials], dtype=np.float64)
    flipped = np.array([_flipped(hits) for hits in trials])
    seen = np.array([hits.drop for hits in trials])
    terms = np.stack([flipped, flipped**2], axis=1)
    sampling = flipped / images
    own = np.maximum(_OFF * np.abs(terms @ _BEFORE), _OFF_LEAST) ** 2
    weights = 1 / (sampling + own)
    precision = np.diag(1 / _SPREAD**2) + terms.T @ (weights[:, None] * terms)
    covariance = np.linalg.inv(precision)
    line = covariance @ (_BEFORE / _SPREAD**2 + terms.T @ (weights * seen))
    towards = own / (own + sampling)  # the share that is a trial's own
    drop = terms @ line + towards * (seen - terms @ line)
    known = np.einsum("ti,ij,tj->t", terms, covariance, terms)
    deviation = np.sqrt(towards * sampling + (1 - towards) ** 2 * known + _COMMON * sampling)
    return Estimates(flipped, drop, deviation)
