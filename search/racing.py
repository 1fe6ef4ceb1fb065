"""Deciding a trial on as few images as its verdict needs."""

from search.spec import Baseline
from search.trial import Hits


def out_of_reach(hits: Hits, baseline: Baseline) -> bool:
    """Return whether the floor is missed even if every remaining image were right."""
    return hits.correct + (baseline.images - hits.images) < baseline.needed


def constraint(hits: Hits, baseline: Baseline) -> float:
    """Return the floor less the accuracy on the images seen; at or below 0 the floor is held.

    The floor is the smallest share of correct images that is allowed, so that on the whole split
    the sign is exact.
    """
    return baseline.needed / baseline.images - hits.accuracy
