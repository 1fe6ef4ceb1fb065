"""The non-dominated trials: no other stores fewer bits at the same or a better accuracy."""

from collections.abc import Iterable

from search.trial import TrialResult


def pareto_front(trials: Iterable[TrialResult]) -> tuple[TrialResult, ...]:
    """Return the feasible trials that no other dominates, fewest bits first.

    Of trials alike in memory and accuracy the earliest is kept.
    """
    feasible = (trial for trial in trials if trial.feasible)
    ordered = sorted(feasible, key=lambda t: (t.memory_bits, -t.hits.correct, t.number))
    front: list[TrialResult] = []
    for trial in ordered:
        # sorted by memory, so only accuracy is left to compare
        if not front or trial.hits.correct > front[-1].hits.correct:
            front.append(trial)
    return tuple(front)
