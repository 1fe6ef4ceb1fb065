"""The fence: a write to a job goes through while its lease holds, else nothing is written."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import and_
from sqlalchemy import update
from sqlalchemy.orm import Session

from service.store.clock import db_now
from service.store.errors import LeaseLost
from service.store.models import JobRow
from service.store.values import JobState
from service.store.values import Lease


def held(lease: Lease) -> ColumnElement[bool]:
    """Return the condition under which the lease still gives the right to write."""
    return and_(
        JobRow.id == lease.job_id,
        JobRow.attempt == lease.attempt,
        JobRow.state == JobState.RUNNING,
        # lapsed and not yet claimed by another: refused just the same
        JobRow.claimable_at > db_now(),
    )


def write(session: Session, lease: Lease, **values: Any) -> bool:
    """Change the job's columns and return whether its cancellation was requested.

    Holds the row until the transaction ends. Raises LeaseLost.
    """
    statement = update(JobRow).where(held(lease)).values(**values)
    cancel_requested = session.execute(
        statement.returning(JobRow.cancel_requested),
        execution_options={"synchronize_session": False},
    ).scalar_one_or_none()
    if cancel_requested is None:
        raise LeaseLost(lease)
    return cancel_requested
