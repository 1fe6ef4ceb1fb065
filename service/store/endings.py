"""What a job's row becomes when the job ends, or is queued again."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy import ColumnElement
from sqlalchemy import case
from sqlalchemy import literal
from sqlalchemy import null

from service.store import codec
from service.store.clock import db_now
from service.store.models import JobRow
from service.store.values import JobError
from service.store.values import JobState

WORKER_LOST = JobError(
    code="worker-lost",
    message="the worker stopped without a word, for want of memory perhaps; its log may say why",
)

_NO_ERROR = null()


def document(error: JobError) -> ColumnElement[Any]:
    """Return the error as it is stored."""
    return literal(codec.error_document(error), JSON)


def ended(state: JobState, *, error: Any = _NO_ERROR) -> dict[str, Any]:
    """Return the columns of a job that is over."""
    return {
        "state": state,
        "stage": "",
        "finished_at": db_now(),
        "claimable_at": null(),
        "error": error,
    }


def requeued(*, delay_seconds: float, error: Any) -> dict[str, Any]:
    """Return those of a job that waits again; of one that is to be cancelled, those of its end."""
    again = {
        "state": JobState.QUEUED,
        "stage": "",
        "finished_at": null(),
        "claimable_at": db_now() + delay_seconds,
        "error": error,
    }
    over = ended(JobState.CANCELLED)
    return {name: case((JobRow.cancel_requested, over[name]), else_=again[name]) for name in again}


def lost_cause() -> ColumnElement[Any]:
    """Return what the vanished attempt noted, else that it vanished."""
    noted = JobRow.error_attempt == JobRow.attempt
    return case((noted, JobRow.error), else_=document(WORKER_LOST))
