"""Checks the search's best allocations, best first, on images that the search never saw."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.stats import beta

from search import racing
from search.spec import Baseline
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult

CONFIDENCE = 0.95  # of the bound on the drop


@dataclass(frozen=True, slots=True)
class Check:
    """One candidate on the certification split."""

    trial: TrialResult
    #: over the images evaluated; all of the split's if it holds
    hits: Hits
    #: at or above the floor on all of them
    holds: bool


def candidates(trials: Iterable[TrialResult]) -> list[TrialResult]:
    """Return the feasible trials, fewest bits first, then the more accurate, then the earlier."""
    feasible = (trial for trial in trials if trial.feasible)
    return sorted(feasible, key=lambda t: (t.memory_bits, -t.hits.correct, t.number))


def certify(
    ordered: Iterable[TrialResult], evaluate: Evaluate, *, baseline: Baseline
) -> Iterator[Check]:
    """Yield one check per candidate until the first that holds.

    `baseline` is the float model on the certification split, which `evaluate` looks at.
    """
    for trial in ordered:
        hits = Hits()
        for seen in evaluate(trial.allocation):
            hits += seen
            if racing.out_of_reach(hits, baseline):
                break
        check = Check(trial, hits, holds=hits.correct >= baseline.needed)
        yield check
        if check.holds:
            return


def drop_upper_bound(hits: Hits, confidence: float = CONFIDENCE) -> float:
    """Return a drop that the true one exceeds with probability at most 1 - confidence.

    The drop is P(lost) - P(gained): an upper bound of the first less a lower bound of the second,
    each exact (Clopper & Pearson 1934) at half the error (Bonferroni). In [-1, 1].
    """
    level = 1 - (1 - confidence) / 2
    n, lost, gained = hits.images, hits.lost, hits.gained
    most_lost = 1.0 if lost == n else float(beta.ppf(level, lost + 1, n - lost))
    least_gained = 0.0 if gained == 0 else float(beta.ppf(1 - level, gained, n - gained + 1))
    return most_lost - least_gained
