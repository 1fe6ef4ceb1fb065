"""What a search comes to: the certified best, or the closest allocation and whom to blame."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search import certify
from search import diagnosis
from search import documents
from search import racing
from search.certify import Check
from search.documents import Evidence
from search.documents import Explanation
from search.spec import Baseline
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import TrialResult
from workers import workbench
from workers.evaluators.interruptible import interruptible
from workers.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How the job ends."""

    #: an allocation held the floor on the certification split
    certified: bool
    #: the best document, or the infeasible one
    document: Mapping[str, Any]
    #: evaluated to come to it
    images: int


def conclude(evidence: Evidence, bench: Workbench, *, check: Callable[[], None]) -> Conclusion:
    """Certify the feasible trials, best first, until one holds; explain if none does.

    `check` is called between rounds and may raise to interrupt.
    """
    ordered = certify.candidates(evidence.trials)
    if not ordered:
        evaluator = bench.evaluator(bench.dataset.search)
        return _explained(
            evidence.search,
            interruptible(evaluator, check),
            baseline=evidence.search.baseline,
            trial=diagnosis.closest(evidence.trials),
            reason="no allocation that was tried holds the floor on the search split",
        )
    evaluator = bench.evaluator(bench.dataset.certification)
    evaluate = interruptible(evaluator, check)
    baseline = workbench.baseline(evidence.job, evaluator)
    checks = tuple(certify.certify(ordered, evaluate, baseline=baseline))
    if checks[-1].holds:
        return _certified(evidence, bench, checks=checks, baseline=baseline)
    return _explained(
        evidence.search,
        evaluate,
        baseline=baseline,
        trial=_nearest(checks, baseline),
        reason=f"{len(checks)} allocations hold the floor on the search split, "
        "none of them on the certification split",
    )


def _certified(
    evidence: Evidence,
    bench: Workbench,
    *,
    checks: Sequence[Check],
    baseline: Baseline,
) -> Conclusion:
    chosen = checks[-1].trial.allocation
    document = documents.best(
        evidence,
        checks,
        certification=baseline,
        describe={
            (point, config): bench.options.parameters(point, config).describe()
            for point, config in chosen.items()
        },
    )
    images = baseline.images + sum(check.hits.images for check in checks)
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
    images = hits.images + sum(blame.images for blame in blames)
    return Conclusion(certified=False, document=documents.infeasible(search, why), images=images)


def _nearest(checks: Sequence[Check], baseline: Baseline) -> TrialResult:
    return min(checks, key=lambda c: racing.constraint(c.hits, baseline)).trial
