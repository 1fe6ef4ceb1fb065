"""Decides a trial on as few images of the search split as its verdict needs.

The split's images come in a random order that was fixed before, so a trial has seen a sample,
without replacement, of a population of N images, L of them lost and G gained. Whether it holds is a
matter of (L, G) alone: `Race.most_lost`. All else asks which (L, G) are still believable.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln
from scipy.special import ndtri

from search import paired
from search.baseline import Baseline
from search.baseline import Certificate
from search.paired import Counts
from search.paired import Reals
from search.trial import Hits
from search.trial import Verdict

#: of the trials that hold, so many at most are said to miss; and the other way round
ERROR_RATE = 0.05
#: Dirichlet prior of (lost, gained, the same), the one that decided soonest: docs/statistics.md
PRIOR = (1.0, 1.0, 15.0)


def out_of_reach(hits: Hits, baseline: Baseline) -> bool:
    """Return whether the floor is missed even if every remaining image were right."""
    return hits.correct + (baseline.images - hits.images) < baseline.needed


@dataclass(frozen=True, eq=False, kw_only=True)
class Race:
    """What a trial on a search split has to show."""

    #: the float model on the search split
    baseline: Baseline
    #: for every G from 0 to N, the largest L that holds; -1: none does
    most_lost: Counts

    @classmethod
    def of(cls, baseline: Baseline, certificate: Certificate | None) -> "Race":
        """Return the race for the floor, or for the rates that a certificate would need."""
        gained = np.arange(baseline.images + 1)
        most_lost = np.minimum(
            gained + baseline.correct - baseline.needed, baseline.images - gained
        )
        if certificate is not None:
            most_lost = np.minimum(most_lost, _certifiable(baseline, certificate))
        return cls(baseline=baseline, most_lost=most_lost)

    def decide(self, hits: Hits) -> Verdict | None:
        """Return the verdict if these images settle it, for certain or at ERROR_RATE."""
        low, high = self._reachable(hits)
        within = self.most_lost[low : high + 1]
        if hits.lost > within.max():
            return Verdict.MISSED
        right = self.baseline.correct - (hits.correct + hits.lost - hits.gained)
        if hits.lost + right <= within.min():
            return Verdict.HELD
        return self._believed(hits) if hits.images else None

    def constraint(self, hits: Hits) -> float:
        """Return the share of the split's images that must no longer be lost; at most 0: it holds.

        Rates are carried over to the whole split. Where they contradict the verdict, as a verdict
        of certainty or of many looks may, it is one image on the verdict's side of 0.
        """
        total = self.baseline.images
        one = 1 / total
        if not hits.images:
            return float(-self.most_lost[0]) * one
        gained = min(round(hits.gained * total / hits.images), total)
        value = float(hits.lost / hits.images - self.most_lost[gained] * one)
        match self.decide(hits):
            case Verdict.MISSED:
                return max(value, one) if value <= 0 else value
            case Verdict.HELD:
                return min(value, -one) if value > 0 else value
        return value

    def _reachable(self, hits: Hits) -> tuple[int, int]:
        """Return the fewest and the most images that can be gained in the end."""
        wrong = self.baseline.images - self.baseline.correct
        seen = hits.images - (hits.correct + hits.lost - hits.gained)
        return hits.gained, hits.gained + wrong - seen

    def _believed(self, hits: Hits) -> Verdict | None:
        """Return the verdict that all (L, G) share which are not yet ruled out.

        Waudby-Smith & Ramdas (2020): the prior over the posterior of the true (L, G) is a
        martingale of mean 1, so it reaches 1 / ERROR_RATE with probability at most ERROR_RATE,
        however often it is looked at. It is P(counts) / P(counts | L, G), the second of which is
        log-concave: for every G, its supremum over the L on one side of `most_lost` is at its mode
        or, where that lies on the other side, at the edge.
        """
        low, high = self._reachable(hits)
        gained = np.arange(low, high + 1)
        right = self.baseline.correct - (hits.correct + hits.lost - hits.gained)
        edge = self.most_lost[low : high + 1]
        ruled_out = _log_marginal(hits) + np.log(ERROR_RATE)
        least, most = np.full_like(gained, hits.lost), np.full_like(gained, hits.lost + right)
        if self._supremum(hits, gained, least=least, most=np.minimum(most, edge)) <= ruled_out:
            return Verdict.MISSED
        if self._supremum(hits, gained, least=np.maximum(least, edge + 1), most=most) <= ruled_out:
            return Verdict.HELD
        return None

    def _supremum(self, hits: Hits, gained: Counts, *, least: Counts, most: Counts) -> float:
        """Return the largest log P(counts | L, G) over these G, each with L from least to most."""
        some = least <= most
        gained, least, most = gained[some], least[some], most[some]
        if not gained.size:
            return -np.inf
        total, other = self.baseline.images, hits.images - hits.gained
        mode = (total - gained + 1) * hits.lost // max(other, 1)
        lost = np.clip(mode, least, most)
        same, seen = total - lost - gained, other - hits.lost
        log = self._log_factorials
        likelihood = (
            log[lost]
            - log[lost - hits.lost]
            + log[gained]
            - log[gained - hits.gained]
            + log[same]
            - log[same - seen]
        )
        return float(likelihood.max() - log[total] + log[total - hits.images])

    @cached_property
    def _log_factorials(self) -> Reals:
        return np.asarray(gammaln(np.arange(self.baseline.images + 1) + 1.0))


def _log_marginal(hits: Hits) -> float:
    """Return log P(counts) in one order, averaged over the prior."""
    prior = np.array(PRIOR)
    counts = np.array([hits.lost, hits.gained, hits.images - hits.lost - hits.gained])
    pairs = gammaln(prior + counts) - gammaln(prior)
    return float(pairs.sum() + gammaln(prior.sum()) - gammaln(prior.sum() + hits.images))


def _certifiable(baseline: Baseline, certificate: Certificate) -> Counts:
    """Return, for every G, the largest L whose rates would be certified."""
    # the score grows with the square root of the images
    needed = ndtri(certificate.confidence) * np.sqrt(baseline.images / certificate.images)
    return paired.most_lost(
        np.arange(baseline.images + 1),
        images=baseline.images,
        tolerance=baseline.tolerance,
        least=float(needed),
    )
