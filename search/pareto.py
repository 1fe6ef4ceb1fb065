"""The non-dominated trials: no other stores fewer bits at the same or a better accuracy."""

from collections.abc import Iterable

from search.trial import TrialResult


def pareto_front(trials: Iterable[TrialResult]) -> tuple[TrialResult, ...]:
    """Return the feasible, complete trials that no other such dominates, fewest bits first.

    A trial that was decided early has no accuracy on all images, so it can neither stand on a front
    nor push another off it. Of trials alike in memory and accuracy the earliest is kept.
    """
    comparable = (trial for trial in trials if trial.feasible and trial.complete)
    ordered = sorted(comparable, key=lambda t: (t.memory_bits, -t.hits.correct, t.number))
    front: list[TrialResult] = []
    for trial in ordered:
        # sorted by memory, so only accuracy is left to compare
        if not front or trial.hits.correct > front[-1].hits.correct:
            front.append(trial)
    return tuple(front)
