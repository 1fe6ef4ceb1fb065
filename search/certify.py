"""Checks the search's best allocations on images that no search saw, and spends one error on them.

Several candidates are tested on the same images, so candidate i may err with probability
`paired.level(i, confidence)` only: whichever is certified, its drop exceeds the tolerance with
probability at most 1 - confidence.
"""

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import ndtri

from search import paired
from search import racing
from search.paired import EVEN
from search.spec import Baseline
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult

#: candidates; a fifth would have next to nothing left to spend
MOST = 4
#: standard errors that a later candidate's score must keep above what its level asks
SLACK = 1.0


class Judgement(StrEnum):
    """What the certification split says of a candidate."""

    CERTIFIED = "certified"  # a drop of the tolerance or more is ruled out
    REFUTED = "refuted"  # a drop of the tolerance or less is ruled out
    UNDECIDED = "undecided"  # these images are too few to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One candidate on the certification split."""

    trial: TrialResult
    #: over the images evaluated; all of the split's unless certification was out of reach
    hits: Hits
    judgement: Judgement
    #: of a drop of the tolerance or more
    p_value: float
    #: what the p-value must not exceed; at a confidence of 0.5 the count decides instead
    level: float
    #: on how many images these rates would certify, if it is undecided; None: on no number
    images_needed: int | None

    @property
    def holds(self) -> bool:
        """It is certified."""
        return self.judgement is Judgement.CERTIFIED


def candidates(trials: Iterable[TrialResult], *, spec: SearchSpec) -> Sequence[TrialResult]:
    """Return the held trials to check, fewest bits first, then the more accurate, then the earlier.

    Without a certificate, or at a confidence of 0.5, all of them. Else at most MOST: the smallest;
    after it the smallest whose score on the search split, carried over to the certification split,
    exceeds what its level asks by SLACK standard errors; and last the one with the largest score.
    """
    held = sorted(
        (trial for trial in trials if trial.feasible),
        key=lambda t: (t.memory_bits, -t.hits.correct, t.number),
    )
    certificate = spec.certificate
    if certificate is None or certificate.confidence <= EVEN or not held:
        return held

    def sure(trial: TrialResult) -> float:
        return _expected(trial, tolerance=spec.baseline.tolerance, images=certificate.images)

    safest = max(held, key=sure)
    chosen, rest = held[:1], iter(held[1:])
    while chosen[-1] is not safest:
        asked = math.inf  # of the last, nothing but the safest will do
        if len(chosen) < MOST - 1:
            asked = float(ndtri(1 - paired.level(len(chosen), certificate.confidence)))
        chosen.append(next(t for t in rest if t is safest or sure(t) >= asked))
    return chosen


def certify(
    ordered: Iterable[TrialResult], evaluate: Evaluate, *, baseline: Baseline, confidence: float
) -> Iterator[Check]:
    """Yield one check per candidate until the first that is certified.

    `baseline` is the float model on the certification split, which `evaluate` looks at. A candidate
    is given up early only once too many images are wrong for any continuation to be certified.
    """
    for rank, trial in enumerate(ordered):
        hits = Hits()
        for seen in evaluate(trial.allocation):
            hits += seen
            if racing.out_of_reach(hits, baseline):
                break
        check = _judged(trial, hits, baseline=baseline, confidence=confidence, rank=rank)
        yield check
        if check.holds:
            return


def _judged(
    trial: TrialResult, hits: Hits, *, baseline: Baseline, confidence: float, rank: int
) -> Check:
    tolerance, level = baseline.tolerance, paired.level(rank, confidence)
    p_value = paired.p_certified(hits, tolerance=tolerance)
    needed = None
    if confidence <= EVEN:
        certified = hits.correct >= baseline.needed
        judgement = Judgement.CERTIFIED if certified else Judgement.REFUTED
    elif hits.images == baseline.images and p_value <= level:
        judgement = Judgement.CERTIFIED
    elif paired.p_refuted(hits, tolerance=tolerance) <= 1 - confidence:
        judgement = Judgement.REFUTED
    else:
        judgement = Judgement.UNDECIDED
        needed = paired.images_needed(hits, tolerance=tolerance, confidence=1 - level)
    return Check(
        trial=trial,
        hits=hits,
        judgement=judgement,
        p_value=p_value,
        level=level,
        images_needed=needed,
    )


def _expected(trial: TrialResult, *, tolerance: float, images: int) -> float:
    """Return the score to expect on so many unseen images, less SLACK standard errors.

    The score on n images has a standard error of 1; carried over to M images it has one of √(M/n).
    With the error of the score that will be seen there, that is √(1 + M/n).
    """
    ratio = images / trial.hits.images
    score = paired.score(trial.hits, tolerance=tolerance)
    return score * math.sqrt(ratio) - SLACK * math.sqrt(1 + ratio)
