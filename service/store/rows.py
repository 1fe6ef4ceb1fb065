"""Rows become values here, and nowhere else."""

from dataclasses import replace
from typing import cast

from sqlalchemy import Select
from sqlalchemy import and_
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

#: SQLAlchemy does not tell in types that an outer join may find nothing
JobSelect = Select[JobRow, TrialRow | None]


def select_jobs(*, with_histograms: bool) -> JobSelect:
    """Return the query for jobs, each with its best trial."""
    best = and_(TrialRow.job_id == JobRow.id, TrialRow.number == JobRow.best_number)
    statement = cast("JobSelect", select(JobRow, TrialRow).outerjoin(TrialRow, best))
    return statement if with_histograms else statement.options(defer(JobRow.histograms))


def read_job(session: Session, job_id: str) -> Job:
    """Return the job as this transaction sees it; raise JobNotFound."""
    require_job_id(job_id)
    statement = select_jobs(with_histograms=True).where(JobRow.id == job_id)
    found = session.execute(statement).one_or_none()
    if found is None:
        raise JobNotFound(job_id)
    return job_of(found[0], found[1], histograms=found[0].histograms or {})


def require_job_id(job_id: str) -> None:
    """Raise JobNotFound for what cannot be an id: PostgreSQL would not even compare it."""
    if not cursors.is_job_id(job_id):
        raise JobNotFound(job_id)


def job_of(row: JobRow, best: TrialRow | None, *, histograms: Document) -> Job:
    """Return the job; the histograms apart, because not every query reads them."""
    return Job(
        id=row.id,
        state=JobState(row.state),
        stage=row.stage,
        submission=replace(
            codec.submission_of(row.submission),
            tenant=row.tenant,
            webhook=codec.webhook_of(row.webhook),
        ),
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
        result=row.result,
        answered_by=row.answered_by,
    )


def trial_of(row: TrialRow) -> StoredTrial:
    """Return the trial with what the store knows about it."""
    return StoredTrial(
        result=codec.trial_of(vars(row)), seconds=row.seconds, finished_at=row.finished_at
    )
