"""Tests the drop on images that both models answered: lost, gained, or answered alike.

The drop is P(lost) - P(gained) over images of this kind. The statistic is Tango's (1998) score. Its
p-values are exact and unconditional: the probability of every outcome at least as extreme, at the
worst P(gained) of a Berger & Boos (1994) confidence set. The score falls with every image lost and
rises with every image gained, so a drop of just δ is the worst of those on its side.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betainc
from scipy.special import betaincinv
from scipy.special import gammaln
from scipy.special import ndtri
from scipy.special import xlog1py
from scipy.special import xlogy

from search.trial import Hits

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

#: Berger & Boos's γ: how surely P(gained) lies outside what is looked at; added to every p-value.
OUTSIDE = 1e-6
#: steps of a bound on the drop
RESOLUTION = 1e-6
_TIE = 1e-9  # scores closer than this are one outcome's
_GRIDS = (49, 9, 9)  # values of P(gained): over the whole set, then twice around the worst


def scores(lost: npt.ArrayLike, gained: npt.ArrayLike, *, images: float, tolerance: float) -> Reals:
    """Return Tango's score of every (lost, gained) of so many images; 0 where nothing is known.

    (nδ - lost + gained) / deviation (Tango 1998). Large: the drop is below δ. Counts may be
    fractions, as of rates carried to more images.
    """
    lost, gained = np.asarray(lost, np.float64), np.asarray(gained, np.float64)
    deviation = deviations(lost, gained, images=images, tolerance=tolerance)
    distance = images * tolerance - lost + gained
    standardized: Reals = np.divide(
        distance, deviation, out=np.zeros_like(distance), where=deviation > 0
    )
    return standardized


def deviations(lost: Reals, gained: Reals, *, images: float, tolerance: float) -> Reals:
    """Return the standard deviation of lost - gained if the drop is δ: sqrt(n (2q + δ(1 - δ))).

    q is the most likely P(gained) then, a root of 2n q² + (δ(2n - lost + gained) - lost - gained) q
    - gained δ(1 - δ) (Tango 1998).
    """
    spread = tolerance * (1 - tolerance)
    linear = tolerance * (2 * images - lost + gained) - lost - gained
    root = np.sqrt(linear**2 + 8 * images * gained * spread)
    # of the two forms of the root, the one that subtracts no equals
    stable = linear > 0
    rare = 2 * gained * spread / np.where(stable, linear + root, 1.0)
    likeliest = np.where(stable, rare, (root - linear) / (4 * images))
    found: Reals = np.sqrt(images * (2 * likeliest + spread))
    return found


def score(hits: Hits, *, tolerance: float) -> float:
    """Return Tango's score for a drop of `tolerance`: the more positive, the smaller the drop."""
    if hits.images == 0:
        return 0.0
    return float(scores(hits.lost, hits.gained, images=hits.images, tolerance=tolerance))


def most_lost(gained: Counts, *, images: int, tolerance: float, least: float) -> Counts:
    """Return, for every number gained, the largest number lost that scores `least`; -1 if none."""
    low, high = np.full_like(gained, -1), images - gained
    while np.any(low < high):
        middle = (low + high + 1) // 2  # the score falls with every image lost
        enough = scores(middle, gained, images=images, tolerance=tolerance) >= least
        low, high = np.where(enough, middle, low), np.where(enough, high, middle - 1)
    return low


def p_certified(hits: Hits, *, tolerance: float) -> float:
    """Return the p-value against a drop of `tolerance`, in [0, 1), or more."""
    if hits.images == 0:
        return 1.0
    return _worst(_Tail(hits, tolerance=tolerance, sign=1))


def p_refuted(hits: Hits, *, tolerance: float) -> float:
    """Return the p-value against a drop of `tolerance`, in [0, 1), or less."""
    if hits.images == 0:
        return 1.0
    return _worst(_Tail(hits, tolerance=tolerance, sign=-1))


def drop_upper_bound(hits: Hits, confidence: float) -> float:
    """Return the least tolerance that these images certify, in [0, 1], a multiple of RESOLUTION.

    The true drop exceeds it with probability at most 1 - confidence.
    """
    level = 1 - confidence

    def excess(tolerance: float) -> float:
        return math.log(p_certified(hits, tolerance=tolerance) / level)

    highest = 1 - RESOLUTION
    if hits.lost == hits.images or excess(highest) > 0:
        return 1.0
    if excess(0.0) <= 0:
        return 0.0
    low = max(0.0, hits.drop)
    if excess(low) <= 0:
        low = 0.0
    root = float(brentq(excess, low, highest, xtol=RESOLUTION / 4))
    bound = math.ceil(root / RESOLUTION)
    while excess(bound * RESOLUTION) > 0:
        bound += 1
    return bound * RESOLUTION


def fewest_images(tolerance: float, confidence: float) -> int | None:
    """Return how many images must stay as they are before a drop of `tolerance` is ruled out.

    An allocation that changes no answer is certified on no fewer: (1 - δ)^n ≤ 1 - confidence. None
    for a tolerance of 0.
    """
    if tolerance == 0:
        return None
    return max(1, math.ceil(math.log(1 - confidence) / math.log1p(-tolerance)))


def images_needed(hits: Hits, *, tolerance: float, confidence: float) -> int | None:
    """Return on how many images these rates would certify; None if on no number of them.

    The score grows with the square root of their number; what the exact test asks beyond that is
    added in steps of a few percent.
    """
    z = score(hits, tolerance=tolerance)
    if z <= 0:
        return None
    at_least = 1 if p_certified(hits, tolerance=tolerance) <= 1 - confidence else hits.images + 1
    by_score = hits.images * (float(ndtri(confidence)) / z) ** 2
    needed = max(math.ceil(by_score), at_least)
    for _ in range(_STEPS):
        if p_certified(_carried(hits, needed), tolerance=tolerance) <= 1 - confidence:
            break
        needed = math.ceil(needed * _STEP)
    return needed


_STEP, _STEPS = 1.03, 30  # from the score's estimate up to the exact test's


def _carried(hits: Hits, images: int) -> Hits:
    lost = math.ceil(hits.lost * images / hits.images)
    return Hits(images=images, lost=lost, gained=hits.gained * images // hits.images)


class _Tail:
    """The outcomes at least as extreme as the one seen, and how likely they are."""

    def __init__(self, hits: Hits, *, tolerance: float, sign: int) -> None:
        self._images, self._tolerance, self._sign = hits.images, tolerance, sign
        self.low, self.high = _confidence_set(hits.gained, hits.images)
        if sign > 0:  # no drop of δ or more leaves room for a larger P(gained)
            self.high = min(self.high, (1 - tolerance) / 2)
            self.low = min(self.low, self.high)
        self._gained = self._plausible()
        seen = score(hits, tolerance=tolerance)
        self._most_lost = most_lost(
            self._gained, images=hits.images, tolerance=tolerance, least=seen - sign * _TIE
        )

    def probability(self, p_gained: Reals) -> Reals:
        """Return how likely they are if the drop is exactly δ, for every P(gained)."""
        gained, rest = self._gained, self._images - self._gained
        p = p_gained[:, None]
        # where a drop of δ would leave no room, the largest that does
        p_lost = np.minimum(p + self._tolerance, 1 - p)
        log = (
            gammaln(self._images + 1)
            - gammaln(gained + 1)
            - gammaln(rest + 1)
            + xlogy(gained, p)
            + xlog1py(rest, -p)
        )
        mass = np.exp(log)
        share = np.clip(1 - p_lost / np.maximum(1 - p, _TIE), 0, 1)
        below = _binomial_cdf(self._most_lost, rest, staying=share)
        extreme = below if self._sign > 0 else 1 - below
        # numbers of gained images that were left out count as extreme
        outside = np.maximum(0, 1 - mass.sum(axis=1))
        return np.asarray((mass * extreme).sum(axis=1) + outside)

    def _plausible(self) -> Counts:
        """Return the numbers of gained images that are not all but impossible."""
        mean_low, mean_high = self._images * self.low, self._images * self.high
        low = max(0, math.floor(mean_low - 8 * math.sqrt(mean_low) - 1))
        high = min(self._images, math.ceil(mean_high + 8 * math.sqrt(mean_high) + 30))
        return np.arange(low, high + 1)


def _binomial_cdf(most: Counts, images: Counts, *, staying: Reals) -> Reals:
    """Return P(lost ≤ most) of so many images, each of which stays with that probability."""
    inside = (most >= 0) & (most < images)
    first = np.where(inside, images - most, 1)
    second = np.where(inside, most + 1, 1)
    return np.where(inside, betainc(first, second, staying), np.where(most < 0, 0.0, 1.0))


def _confidence_set(gained: int, images: int) -> tuple[float, float]:
    """Return Clopper & Pearson's (1934) interval of P(gained) with error OUTSIDE."""
    low = betaincinv(gained, images - gained + 1, OUTSIDE / 2) if gained else 0.0
    high = betaincinv(gained + 1, images - gained, 1 - OUTSIDE / 2) if gained < images else 1.0
    return float(low), float(high)


def _worst(tail: _Tail) -> float:
    """Return the largest probability over P(gained), by grids of which each closes in on it."""
    # equal steps of the arcsine are equally many standard errors wide
    low, high = math.asin(math.sqrt(tail.low)), math.asin(math.sqrt(tail.high))
    worst = 0.0
    for size in _GRIDS:
        angles = np.linspace(low, high, size)
        found = tail.probability(np.sin(angles) ** 2)
        at = int(found.argmax())
        worst = max(worst, float(found[at]))
        low, high = angles[max(at - 1, 0)], angles[min(at + 1, size - 1)]
    return min(1.0, worst + OUTSIDE)
