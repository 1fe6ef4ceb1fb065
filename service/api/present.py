"""The store's values as the API's answers: shares, bytes and links worked out here and once."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime

from pydantic import BaseModel
from starlette.responses import Response

from search.allocation import QuantizationPoint
from search.pareto import hypervolume
from search.trial import TrialResult
from service.api import schemas
from service.api.webhooks import Webhook
from service.dashboard.study_ids import study_id
from service.store import codec
from service.store import webhooks
from service.store.values import Job
from service.store.values import JobState
from service.store.values import Page
from service.store.values import Setup
from service.store.values import StoredTrial


def answer(
    model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the model as a route answers with it, written where the route runs.

    The framework would look through it once more, and take another thread for that.
    """
    body = model.__pydantic_serializer__.to_json(model)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def job(value: Job) -> schemas.Job:
    """Return the job; memory is set against float32 once the points are known."""
    submission = value.submission
    error = value.error
    return schemas.Job(
        id=value.id,
        state=value.state,
        stage=value.stage,
        spec=schemas.Spec(**codec.spec_document(submission.spec)),
        labels=dict(submission.labels),
        tenant=submission.tenant,
        priority=value.priority,
        webhook=_webhook(submission.webhook),
        attempt=value.attempt,
        created_at=_utc(value.created_at),
        started_at=_utc_or_none(value.started_at),
        finished_at=_utc_or_none(value.finished_at),
        progress=_progress(value),
        error=schemas.Failure(code=error.code, message=error.message) if error else None,
        answered_by=value.answered_by,
        from_job=submission.from_job,
        taken=_taken(value),
        infeasible=_infeasible(value),
        links=links(value.id),
    )


def links(job_id: str) -> schemas.Links:
    """Return where the job and its parts are served."""
    base = f"/v1/jobs/{job_id}"
    return schemas.Links(
        self=base,
        trials=f"{base}/trials",
        front=f"{base}/front",
        best=f"{base}/best",
        events=f"{base}/events",
        report=f"{base}/report",
        deliveries=f"{base}/deliveries",
        dashboard=f"/dashboard/studies/{study_id(job_id)}",
    )


def _taken(value: Job) -> schemas.Taken | None:
    taken = value.taken
    if taken is None:
        return None
    return schemas.Taken(trials=taken.trials, sensitivities=taken.sensitivities)


def _webhook(value: webhooks.Webhook | None) -> Webhook | None:
    return None if value is None else Webhook(url=value.url, events=list(value.events))


def job_page(page: Page[Job]) -> schemas.JobPage:
    """Return a page of jobs."""
    return schemas.JobPage(items=[job(value) for value in page.items], next=page.next_cursor)


def trial(stored: StoredTrial, setup: Setup) -> schemas.Trial:
    """Return the trial; the setup is that of its job."""
    result = stored.result
    hits = result.hits
    return schemas.Trial(
        number=result.number,
        origin=result.origin,
        verdict=result.verdict,
        feasible=result.feasible,
        complete=result.complete,
        memory_bytes=_bytes(result.memory_bits),
        saved=setup.saved(result.memory_bits),
        average_bits=setup.average_bits(result.allocation),
        images=hits.images,
        correct=hits.correct,
        lost=hits.lost,
        gained=hits.gained,
        accuracy=hits.accuracy,
        drop=hits.drop,
        seconds=stored.seconds,
        finished_at=_utc(stored.finished_at),
        allocation=codec.allocation_document(result.allocation),
    )


def trial_page(page: Page[StoredTrial], setup: Setup | None) -> schemas.TrialPage:
    """Return a page of trials; a job without a setup has none."""
    items = [trial(stored, setup) for stored in page.items] if setup else []
    return schemas.TrialPage(items=items, next=page.next_cursor)


def front(value: Job, stored: Sequence[StoredTrial]) -> schemas.Front:
    """Return the job's Pareto front with what a reader needs to scale it."""
    setup = value.setup
    points = setup.points if setup else ()
    baseline = setup.baseline if setup else None
    return schemas.Front(
        float_accuracy=baseline.accuracy if baseline else None,
        floor=baseline.floor if baseline else None,
        images=baseline.images if baseline else None,
        objective=value.submission.spec.minimizes,
        goal=value.submission.spec.goal,
        hypervolume=_hypervolume(stored, setup) if setup else None,
        points=[_point(point) for point in points],
        front=[trial(one, setup) for one in stored] if setup else [],
    )


def _hypervolume(front: Sequence[StoredTrial], setup: Setup) -> float:
    results = [stored.result for stored in front]
    return hypervolume(results, baseline=setup.baseline, float_cost=setup.float_bits)


def _point(value: QuantizationPoint) -> schemas.Point:
    return schemas.Point(name=value.name, elements=value.elements, kind=value.kind)


def _progress(value: Job) -> schemas.Progress:
    progress = value.progress
    setup = value.setup
    return schemas.Progress(
        trials=progress.trials,
        budget=value.submission.spec.budget,
        images_evaluated=progress.images_evaluated,
        float_accuracy=setup.baseline.accuracy if setup else None,
        floor=setup.baseline.floor if setup else None,
        best=_best(progress.best, setup) if progress.best and setup else None,
    )


def _best(result: TrialResult, setup: Setup) -> schemas.Best:
    return schemas.Best(
        trial=result.number,
        saved=setup.saved(result.memory_bits),
        average_bits=setup.average_bits(result.allocation),
        accuracy=setup.accuracy(result.hits),
        memory_bytes=_bytes(result.memory_bits),
    )


def _infeasible(value: Job) -> dict[str, object] | None:
    if value.state is not JobState.INFEASIBLE or value.result is None:
        return None
    return dict(value.result)


def _bytes(bits: int) -> float:
    # as in the best document: points pack their bits, so the sum need not be whole
    return bits / 8


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _utc_or_none(seconds: float | None) -> datetime | None:
    return None if seconds is None else _utc(seconds)
