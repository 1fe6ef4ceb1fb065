"""A job whose goal is the front, with trials like those that its search makes."""

from dataclasses import replace

from search.pareto import pareto_front
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store.values import Job
from service.store.values import JobState
from service.store.values import StoredTrial
from service.store.values import Submission
from tests.service.report import samples

Page = tuple[Job, tuple[StoredTrial, ...], tuple[StoredTrial, ...]]


def searched(count: int = 60) -> Page:
    """Return what a page about a certified job for the front is made of."""
    results: list[TrialResult] = []
    for number in range(count):
        results.append(_raced(samples.trial(number), results))
    found = tuple(StoredTrial(result=r, seconds=0.1, finished_at=float(r.number)) for r in results)
    front = tuple(found[r.number] for r in pareto_front(results, goal="front"))
    spec = JobSpec(model="tiny-net", dataset="digits", tolerance=0.02, goal="front")
    document = samples.best_document(next(s.result for s in front if s.result.feasible))
    job = samples.job(
        JobState.SUCCEEDED, found=found, result=document, submission=Submission(spec=spec)
    )
    return job, found, front


def _raced(trial: TrialResult, before: list[TrialResult]) -> TrialResult:
    """Return the trial as a race for the front leaves it."""
    lost = 20 + round(1000 * trial.constraint)
    right = samples.BASELINE.correct - lost
    complete = [t for t in before if t.complete and t.memory_bits <= trial.memory_bits]
    if any(t.hits.correct >= right for t in complete):
        hits = Hits(images=250, correct=(right + 2) // 4, lost=lost // 4)
        return replace(trial, hits=hits, complete=False, verdict=Verdict.DOMINATED)
    hits = Hits(images=1000, correct=right, lost=lost)
    held = Verdict.HELD if lost <= 20 else Verdict.MISSED
    return replace(trial, hits=hits, complete=True, verdict=held)
