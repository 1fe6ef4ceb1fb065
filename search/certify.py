"""Checks the search's best allocations on images that no search saw, and spends one error on them.

Several candidates are tested on the same images, so each may err with an equal share of the error:
whichever is certified, its drop exceeds the tolerance with probability at most 1 - confidence. Who
is tested is settled before the first of these images is looked at.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from search import cost
from search import paired
from search import racing
from search import shrinkage
from search.spec import MEASURED
from search.spec import Baseline
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult


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


def candidates(trials: Sequence[TrialResult], *, spec: SearchSpec) -> Sequence[TrialResult]:
    """Return the held trials to check, fewest bits first, then the more accurate, then the earlier.

    Without a certificate, or at a confidence of 0.5, all of them. Else at most `paired.CANDIDATES`:
    those from which most memory is expected to be saved, if each is certified as likely as its
    shrunken drop says (see `shrinkage`) and the next one is checked where one is not. Fewer share
    the error where more would each have too little of it.
    """
    held = sorted(
        (trial for trial in trials if trial.feasible),
        key=lambda t: (t.memory_bits, -t.hits.correct, t.number),
    )
    asked = spec.certificate
    if asked is None or asked.confidence <= MEASURED or not held:
        return held
    saved = [cost.float_cost(spec.minimized) - trial.memory_bits for trial in held]
    estimates = shrinkage.estimate_among(
        [trial.hits for trial in held], among=[trial.hits for trial in trials]
    )
    rows = []
    for most in range(1, paired.CANDIDATES + 1):
        likely = estimates.certified(
            tolerance=spec.baseline.tolerance,
            images=asked.images,
            level=paired.level(asked.confidence, most),
        )
        rows.append(_best_row(likely.tolist(), saved, most=most))
    _, row = max(rows, key=lambda found: found[0])
    return [held[i] for i in row]


def _best_row(
    likely: Sequence[float], saved: Sequence[int], *, most: int
) -> tuple[float, list[int]]:
    """Return the largest expected saving of a row of at most so many indices, and that row.

    Saved is what is saved by the first in the row that is certified. All are tested on the same
    images, whose luck they share: where one fails, a likelier one is certified with the difference
    of their chances. So a row has to climb, and near copies add nothing to it.
    """
    rows: dict[int, tuple[float, list[int]]] = {-1: (0.0, [])}
    best: tuple[float, list[int]] = (0.0, [len(likely) - 1])
    for _ in range(most):
        longer: dict[int, tuple[float, list[int]]] = {}
        for i, chance in enumerate(likely):
            for last, (expected, row) in rows.items():
                climbed = chance - (likely[last] if last >= 0 else 0.0)
                value = expected + climbed * saved[i]
                if last < i and climbed > 0 and value > longer.get(i, (0.0, []))[0]:
                    longer[i] = (value, [*row, i])
        best = max([best, *longer.values()], key=lambda found: found[0])
        rows = longer
    return best


def certify(
    ordered: Sequence[TrialResult], evaluate: Evaluate, *, baseline: Baseline, confidence: float
) -> Iterator[Check]:
    """Yield one check per candidate until the first that is certified.

    `baseline` is the float model on the certification split, which `evaluate` looks at. A candidate
    is given up early only once too many images are wrong for any continuation to be certified.
    """
    level = paired.level(confidence, max(len(ordered), 1))
    for trial in ordered:
        hits = Hits()
        for seen in evaluate(trial.allocation):
            hits += seen
            if racing.out_of_reach(hits, baseline):
                break
        check = _judged(trial, hits, baseline=baseline, confidence=confidence, level=level)
        yield check
        if check.holds:
            return


def _judged(
    trial: TrialResult, hits: Hits, *, baseline: Baseline, confidence: float, level: float
) -> Check:
    tolerance = baseline.tolerance
    p_value = paired.p_certified(hits, tolerance=tolerance)
    needed = None
    if confidence <= MEASURED:
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
