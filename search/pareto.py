"""The non-dominated trials: no other stores fewer bits at the same or a better accuracy."""

from collections.abc import Iterable
from itertools import pairwise

from search.baseline import Baseline
from search.trial import TrialResult

#: share of the float model's accuracy from which on a trial counts towards the hypervolume
REFERENCE = 0.5


def pareto_front(trials: Iterable[TrialResult], *, goal: str = "floor") -> tuple[TrialResult, ...]:
    """Return the complete trials that no other such dominates, fewest bits first.

    With goal "floor" only feasible trials count; with "front" all do. A trial that was decided
    early has no accuracy on all images, so it can neither stand on a front nor push another off it.
    Of trials alike in memory and accuracy the earliest is kept.
    """
    comparable = (t for t in trials if t.complete and (t.feasible or goal == "front"))
    ordered = sorted(comparable, key=lambda t: (t.memory_bits, -t.hits.correct, t.number))
    front: list[TrialResult] = []
    for trial in ordered:
        # sorted by memory, so only accuracy is left to compare
        if not front or trial.hits.correct > front[-1].hits.correct:
            front.append(trial)
    return tuple(front)


def reference(baseline: Baseline) -> float:
    """Return the accuracy below which a trial does not count towards the hypervolume."""
    return REFERENCE * baseline.accuracy


def hypervolume(front: Iterable[TrialResult], *, baseline: Baseline, float_cost: int) -> float:
    """Return the share of a box that a front, fewest bits first, dominates; from 0 to 1.

    The box spans memory from none to `float_cost`, that of the float network in bits, and accuracy
    from `reference` to X on the same images. More accurate than X counts as X. The indicator is
    Zitzler & Thiele's (1998), over the volume of the box.
    """
    low, high = reference(baseline), baseline.accuracy
    corners = [
        (min(t.memory_bits, float_cost), min(max(t.hits.accuracy, low), high)) for t in front
    ]
    steps = pairwise([*corners, (float_cost, high)])
    area = sum((after - before) * (accuracy - low) for (before, accuracy), (after, _) in steps)
    return area / (float_cost * (high - low))
