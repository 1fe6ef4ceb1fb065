"""Deciding a trial on as few images as its verdict needs."""

from dataclasses import dataclass

from search.spec import Baseline
from search.spec import Certificate
from search.trial import Hits
from search.trial import Verdict


def out_of_reach(hits: Hits, baseline: Baseline) -> bool:
    """Return whether the floor is missed even if every remaining image were right."""
    return hits.correct + (baseline.images - hits.images) < baseline.needed


def constraint(hits: Hits, baseline: Baseline) -> float:
    """Return the floor less the accuracy on the images seen; at or below 0 the floor is held.

    The floor is the smallest share of correct images that is allowed, so that on the whole split
    the sign is exact.
    """
    return baseline.needed / baseline.images - hits.accuracy


@dataclass(frozen=True, slots=True)
class Race:
    """Decides trials on the search split."""

    baseline: Baseline

    @classmethod
    def of(cls, baseline: Baseline, certificate: Certificate | None) -> "Race":  # noqa: ARG003  # to come
        """Return the race."""
        return cls(baseline)

    def decide(self, hits: Hits) -> Verdict | None:
        """Return the verdict as soon as it is clear."""
        if out_of_reach(hits, self.baseline):
            return Verdict.MISSED
        return Verdict.HELD if hits.images == self.baseline.images else None

    def constraint(self, hits: Hits) -> float:
        """Return the constraint."""
        return constraint(hits, self.baseline)
