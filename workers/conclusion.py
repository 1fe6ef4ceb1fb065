"""What a search comes to: the certified best, or the closest allocation and whom to blame."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from search import certify
from search import diagnosis
from search import documents
from search.baseline import Baseline
from search.baseline import Certificate
from search.certify import Check
from search.certify import Judgement
from search.documents import Evidence
from search.documents import Explanation
from search.front_document import front_document
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import TrialResult
from service.store import codec
from workers import workbench
from workers.evaluators.interruptible import interruptible
from workers.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How the job ends."""

    #: an allocation was certified on the certification split
    certified: bool
    #: the best document, or the infeasible one
    document: Mapping[str, Any]
    #: evaluated to come to it
    images: int


def conclude(evidence: Evidence, bench: Workbench, *, check: Callable[[], None]) -> Conclusion:
    """Certify the feasible trials, best first, until one is; explain if none is.

    If the goal is the front, it is told either way. `check` is called between rounds and may raise
    to interrupt.
    """
    conclusion = _concluded(evidence, bench, check=check)
    if evidence.search.goal != "front":
        return conclusion
    front = front_document(evidence.search, evidence.trials)
    return replace(conclusion, document={**conclusion.document, "front": front})


def _concluded(evidence: Evidence, bench: Workbench, *, check: Callable[[], None]) -> Conclusion:
    certificate = evidence.search.certificate
    ordered = certify.candidates(evidence.trials, spec=evidence.search)
    if not ordered:
        return _explained(
            evidence.search,
            interruptible(bench.evaluator(bench.dataset.search), check),
            baseline=evidence.search.baseline,
            trial=diagnosis.closest(evidence.trials),
            reason=_nothing_held(certificate),
        )
    evaluator = bench.evaluator(bench.dataset.certification)
    evaluate = interruptible(evaluator, check)
    baseline = workbench.baseline(evidence.job, evaluator)
    found = certify.certify(ordered, evaluate, baseline=baseline, certificate=certificate)
    checks = tuple(found)
    chosen = certify.smallest(checks)
    if chosen is not None:
        return _certified(evidence, bench, check=chosen, checks=checks, baseline=baseline)
    conclusion = _explained(
        evidence.search,
        evaluate,
        baseline=baseline,
        trial=_nearest(checks).trial,
        reason=_none_certified(checks, certificate),
    )
    checked = [documents.checked(evidence.search, one) for one in checks]
    told = {**conclusion.document, "checked": checked}
    images = conclusion.images + sum(one.hits.images for one in checks)
    return replace(conclusion, document=told, images=images)


def _certified(
    evidence: Evidence,
    bench: Workbench,
    *,
    check: Check,
    checks: Sequence[Check],
    baseline: Baseline,
) -> Conclusion:
    chosen = check.trial.allocation
    document = documents.best(
        evidence,
        check,
        checks=checks,
        certification=baseline,
        describe={
            (point, config): bench.options.parameters(point, config).describe()
            for point, config in chosen.items()
        },
    )
    # with the request as it is stored, the document says all that it takes to evaluate it again
    document["spec"] = codec.spec_document(evidence.job)
    images = baseline.images + sum(one.hits.images for one in checks)
    return Conclusion(certified=True, document=document, images=images)


def _explained(
    search: SearchSpec,
    evaluate: Evaluate,
    *,
    baseline: Baseline,
    trial: TrialResult,
    reason: str,
) -> Conclusion:
    hits = diagnosis.full_hits(evaluate, trial.allocation)
    blames = tuple(diagnosis.blame(evaluate, trial.allocation, over=hits))
    why = Explanation(baseline=baseline, trial=trial, hits=hits, blames=blames, reason=reason)
    # the float model's pass over the split is part of it
    images = baseline.images + hits.images + sum(blame.images for blame in blames)
    return Conclusion(certified=False, document=documents.infeasible(search, why), images=images)


def _nearest(checks: Sequence[Check]) -> Check:
    """Return the one with the least evidence against it; of equals the smaller."""
    return min(checks, key=lambda c: (c.p_value, c.trial.memory_bits, c.trial.number))


def _nothing_held(certificate: Certificate | None) -> str:
    missed = "no allocation that was tried holds the floor on the search split"
    if certificate is None:
        return missed
    return (
        f"{missed} with what it takes beyond that to be certified at confidence "
        f"{certificate.confidence:g} on {certificate.images:,} images"
    )


def _none_certified(checks: Sequence[Check], certificate: Certificate | None) -> str:
    """Return the reason, and how many images would change it where that can be told."""
    undecided = [check for check in checks if check.judgement is Judgement.UNDECIDED]
    if certificate is None or not undecided:
        return (
            f"all allocations that were checked on the certification split ({len(checks)}) were "
            "refuted there, though they hold the floor on the search split"
        )
    told = (
        f"at confidence {certificate.confidence:g} the certification split neither certifies nor "
        "refutes the safest allocation that holds on the search split"
    )
    needed = {c.trial.number: c.images_needed for c in undecided if c.images_needed is not None}
    if not needed:
        return f"{told}; at the rates seen there, no number of images would certify one"
    trial, images = min(needed.items(), key=lambda pair: (pair[1], pair[0]))
    return (
        f"{told}; trial {trial} would take about {images:,} images if its rates stay as they are: "
        "raise splits.certification or the tolerance, or lower the confidence"
    )
