"""Rows become values here, and nowhere else."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import RowMapping
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy.orm import Session

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

#: what runs a statement that reads
Reader = Session | Connection

_OF_BEST = "best_trial_"
#: what no value of this module tells
_UNTOLD = {
    "idempotency_digest",
    "claimable_at",
    "error_attempt",
    "best_number",
    "content",
    "start_untold",
    "end_untold",
    "ground",
}
_LARGE = {"histograms", "result"}
#: of a trial that is the best of its job
_AROUND = {"job_id", "seconds", "finished_at"}

# Columns, not rows of the session: it would keep books of each one that is only looked at.
_JOB: tuple[ColumnElement[Any], ...] = tuple(
    column for column in inspect(JobRow).columns if column.key not in _UNTOLD
)
_TRIAL: tuple[ColumnElement[Any], ...] = tuple(inspect(TrialRow).columns)
_JUDGED = tuple(column for column in inspect(TrialRow).columns if column.key not in _AROUND)
_JUDGED_NAMES = tuple((column.key, f"{_OF_BEST}{column.key}") for column in _JUDGED)
_BEST_TRIAL = tuple(column.label(f"{_OF_BEST}{column.key}") for column in _JUDGED)
_IS_BEST = and_(TrialRow.job_id == JobRow.id, TrialRow.number == JobRow.best_number)
#: what a listing tells of results: why there is none
_WHY_NONE = case((JobRow.state == JobState.INFEASIBLE, JobRow.result)).label("why_none")


@cache
def select_outlines() -> Select[*tuple[Any, ...]]:
    """Return the query for jobs, each with its best trial, without the large documents.

    Those are histograms, and results but of infeasible jobs.
    """
    columns = [column for column in _JOB if column.key not in _LARGE]
    return select(*columns, *_BEST_TRIAL, _WHY_NONE).outerjoin(TrialRow, _IS_BEST)


def select_trials() -> Select[*tuple[Any, ...]]:
    """Return the query for trials."""
    return select(*_TRIAL)


def read_job(reader: Reader, job_id: str) -> Job:
    """Return the job as this transaction sees it; raise JobNotFound."""
    require_job_id(job_id)
    statement = select(*_JOB, *_BEST_TRIAL).outerjoin(TrialRow, _IS_BEST).where(JobRow.id == job_id)
    row = reader.execute(statement).mappings().one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    return _job_of(row, histograms=row["histograms"] or {}, result=row["result"])


def require_job_id(job_id: str) -> None:
    """Raise JobNotFound for what cannot be an id: PostgreSQL would not even compare it."""
    if not cursors.is_job_id(job_id):
        raise JobNotFound(job_id)


def outline_of(row: RowMapping) -> Job:
    """Return the job of `select_outlines`."""
    return _job_of(row, histograms={}, result=row["why_none"])


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


def trial_of(row: RowMapping) -> StoredTrial:
    """Return the trial of `select_trials` with what the store knows about it."""
    return StoredTrial(
        result=codec.trial_of(row), seconds=row["seconds"], finished_at=row["finished_at"]
    )


def _job_of(row: RowMapping, *, histograms: Document, result: Document | None) -> Job:
    error, setup = row["error"], row["setup"]
    return Job(
        id=row["id"],
        state=JobState(row["state"]),
        stage=row["stage"],
        submission=_submission_of(row),
        priority=row["priority"],
        attempt=row["attempt"],
        failures=row["failures"],
        cancel_requested=row["cancel_requested"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=None if error is None else codec.error_of(error),
        setup=None if setup is None else codec.setup_of(setup, histograms),
        progress=_progress_of(row),
        result=result,
        answered_by=row["answered_by"],
        taken=None if row["taken"] is None else Taken(**row["taken"]),
    )


def _submission_of(row: RowMapping) -> Submission:
    own = {"tenant": row["tenant"], "from_job": row["from_job"]}
    return codec.submission_of(
        {**row["submission"], **own, "webhook": codec.webhook_of(row["webhook"])}
    )


def _progress_of(row: RowMapping) -> Progress:
    best = None
    if row[f"{_OF_BEST}number"] is not None:
        best = codec.trial_of({name: row[labelled] for name, labelled in _JUDGED_NAMES})
    return Progress(trials=row["trials"], images_evaluated=row["images_evaluated"], best=best)
