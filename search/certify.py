"""Checks the search's best allocations on images that no search saw, at one error for all of them.

Who is tested, and in which order, is settled before the first of these images is looked at, and the
first failure ends it. To certify one whose drop exceeds the tolerance, the first such in the order
has to pass its own test: with probability at most 1 - confidence, however many are tested.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from search import cost
from search import ladder
from search import paired
from search import racing
from search.baseline import Baseline
from search.baseline import Certificate
from search.bitfloor.outset import Outset
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
    #: on how many images these rates would certify, if it is undecided; None: on no number
    images_needed: int | None

    @property
    def holds(self) -> bool:
        """It is certified."""
        return self.judgement is Judgement.CERTIFIED


def candidates(trials: Sequence[TrialResult], *, spec: SearchSpec) -> Sequence[TrialResult]:
    """Return the held trials to check, in the order in which `certify` checks them.

    Without a certificate all of them, fewest bits first, then the more accurate, then the earlier.
    Else the `ladder` from which most memory is expected to be saved, from the safest down.
    """
    held = sorted(
        (trial for trial in trials if trial.feasible),
        key=lambda t: (t.memory_bits, -t.hits.correct, t.number),
    )
    asked = spec.certificate
    if asked is None or not held:
        return held
    likely = likelihoods(held, among=trials, spec=spec)
    saved = [cost.float_cost(spec.minimized) - trial.memory_bits for trial in held]
    return [held[i] for i in ladder.ladder(likely, saved)]


def likelihoods(
    held: Sequence[TrialResult], *, among: Sequence[TrialResult], spec: SearchSpec
) -> list[float]:
    """Return how likely each of some trials is to be certified, given all of them.

    Of many trials the best ones were lucky, too: what one is short of the floor is drawn towards
    what its energy and the other trials let expect (see `search.bitfloor.outlook`), whoever
    proposed them. Where no sensitivity was measured, an assumed one has to do.
    """
    view = Outset.of(spec).after({trial.allocation: trial.hits for trial in among})
    found = view.outlook.certified(view.bets(trial.allocation for trial in held))
    return [float(chance) for chance in found]


def certify(
    ordered: Sequence[TrialResult],
    evaluate: Evaluate,
    *,
    baseline: Baseline,
    certificate: Certificate | None,
) -> Iterator[Check]:
    """Yield the check of one candidate after another.

    With a certificate until one fails: the last that passed is the answer. Without one until one
    holds. `baseline` is the float model on the certification split, which `evaluate` looks at. A
    candidate is given up early only once too many images are wrong for any continuation to pass.
    """
    for trial in ordered:
        hits = Hits()
        for seen in evaluate(trial.allocation):
            hits += seen
            if racing.out_of_reach(hits, baseline):
                break
        found = check(trial, hits, baseline=baseline, certificate=certificate)
        yield found
        if found.holds == (certificate is None):
            return


def smallest(checks: Sequence[Check]) -> Check | None:
    """Return the smallest that is certified, None if none is."""
    held = [one for one in checks if one.holds]
    return min(held, key=lambda one: one.trial.memory_bits, default=None)


def check(
    trial: TrialResult, hits: Hits, *, baseline: Baseline, certificate: Certificate | None
) -> Check:
    """Return what these hits, over the split that `baseline` is of, say of a candidate."""
    p_value = paired.p_certified(hits, tolerance=baseline.tolerance)
    if certificate is None:
        judgement = _counted(hits, baseline)
    else:
        complete = hits.images == baseline.images
        certified = complete and p_value <= 1 - certificate.confidence
        judgement = Judgement.CERTIFIED if certified else _missed(hits, baseline, of=certificate)
    needed = None
    if certificate is not None and judgement is Judgement.UNDECIDED:
        needed = paired.images_needed(
            hits, tolerance=baseline.tolerance, confidence=certificate.confidence
        )
    return Check(trial=trial, hits=hits, judgement=judgement, p_value=p_value, images_needed=needed)


def _counted(hits: Hits, baseline: Baseline) -> Judgement:
    return Judgement.CERTIFIED if hits.correct >= baseline.needed else Judgement.REFUTED


def _missed(hits: Hits, baseline: Baseline, *, of: Certificate) -> Judgement:
    p_value = paired.p_refuted(hits, tolerance=baseline.tolerance)
    refuted = p_value <= 1 - of.confidence
    return Judgement.REFUTED if refuted else Judgement.UNDECIDED
