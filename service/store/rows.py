"""Rows become values here, and nowhere else."""

from dataclasses import replace
from typing import Any
from typing import cast

from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm import defer

from service.store import codec
from service.store import cursors
from service.store.errors import JobNotFound
from service.store.models import JobRow
from service.store.models import TrialRow
from service.store.values import Document
from service.store.values import Job
from service.store.values import JobState
from service.store.values import Progress
from service.store.values import StoredTrial
from service.store.values import Submission
from service.store.values import Taken

#: SQLAlchemy does not tell in types that an outer join may find nothing
JobSelect = Select[JobRow, TrialRow | None]
OutlineSelect = Select[JobRow, TrialRow | None, dict[str, Any] | None]

_BEST = and_(TrialRow.job_id == JobRow.id, TrialRow.number == JobRow.best_number)
#: what a listing tells of results: why there is none
_WHY_NONE = case((JobRow.state == JobState.INFEASIBLE, JobRow.result))


def select_outlines() -> OutlineSelect:
    """Return the query for jobs, each with its best trial, without the large documents.

    Those are histograms, and results but of infeasible jobs.
    """
    statement = select(JobRow, TrialRow, _WHY_NONE).outerjoin(TrialRow, _BEST)
    left_out = defer(JobRow.histograms, raiseload=True), defer(JobRow.result, raiseload=True)
    return cast("OutlineSelect", statement.options(*left_out))


def read_job(session: Session, job_id: str) -> Job:
    """Return the job as this transaction sees it; raise JobNotFound."""
    require_job_id(job_id)
    statement = select(JobRow, TrialRow).outerjoin(TrialRow, _BEST).where(JobRow.id == job_id)
    found = session.execute(cast("JobSelect", statement)).one_or_none()
    if found is None:
        raise JobNotFound(job_id)
    row, best = found
    return job_of(row, best, histograms=row.histograms or {}, result=row.result)


def require_job_id(job_id: str) -> None:
    """Raise JobNotFound for what cannot be an id: PostgreSQL would not even compare it."""
    if not cursors.is_job_id(job_id):
        raise JobNotFound(job_id)


def job_of(
    row: JobRow, best: TrialRow | None, *, histograms: Document, result: Document | None
) -> Job:
    """Return the job; its large documents apart, because not every query reads them."""
    return Job(
        id=row.id,
        state=JobState(row.state),
        stage=row.stage,
        submission=replace(
            codec.submission_of(row.submission),
            tenant=row.tenant,
            from_job=row.from_job,
            webhook=codec.webhook_of(row.webhook),
        ),
        priority=row.priority,
        attempt=row.attempt,
        failures=row.failures,
        cancel_requested=row.cancel_requested,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=None if row.error is None else codec.error_of(row.error),
        setup=None if row.setup is None else codec.setup_of(row.setup, histograms),
        progress=Progress(
            trials=row.trials,
            images_evaluated=row.images_evaluated,
            best=None if best is None else codec.trial_of(vars(best)),
        ),
        result=result,
        answered_by=row.answered_by,
        taken=None if row.taken is None else Taken(**row.taken),
    )


def outline_of(row: JobRow, best: TrialRow | None, *, why_none: Document | None) -> Job:
    """Return the job of `select_outlines`."""
    return job_of(row, best, histograms={}, result=why_none)


def queued(job_id: str, submission: Submission, *, created_at: float) -> Job:
    """Return the job as its row stands just after it was inserted."""
    return Job(
        id=job_id,
        state=JobState.QUEUED,
        stage="",
        submission=submission,
        priority=submission.priority,
        attempt=0,
        failures=0,
        cancel_requested=False,
        created_at=created_at,
        started_at=None,
        finished_at=None,
        error=None,
        setup=None,
        progress=Progress(trials=0, images_evaluated=0, best=None),
        result=None,
    )


def trial_of(row: TrialRow) -> StoredTrial:
    """Return the trial with what the store knows about it."""
    return StoredTrial(
        result=codec.trial_of(vars(row)), seconds=row.seconds, finished_at=row.finished_at
    )
