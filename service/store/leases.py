"""What a worker may do with a job: claim it, keep it, report on it, give it back, end it."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Engine
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from service.store import codec
from service.store import endings
from service.store import fencing
from service.store import rows
from service.store import wakes
from service.store.clock import db_now
from service.store.models import LIVE
from service.store.models import JobRow
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import Document
from service.store.values import Job
from service.store.values import JobError
from service.store.values import JobState
from service.store.values import Lease
from service.store.values import Setup

#: attempts that may end badly, without a recorded trial in between, before the job fails
MAX_FAILURES = 3

_UNSYNCHRONIZED = {"synchronize_session": False}


def claim(engine: Engine, *, lease_seconds: float) -> tuple[Lease, Job] | None:
    """Take the next job, by priority, then age; None while there is nothing to do.

    A running job whose lease lapsed counts a failure and is taken again, unless that was one too
    many, or somebody wants it cancelled: then it ends here.
    """
    with writing(engine) as session:
        _end_lapsed(session)
        claimed = session.execute(_take_next(lease_seconds), execution_options=_UNSYNCHRONIZED)
        taken = claimed.one_or_none()
        if taken is None:
            return None
        job_id, attempt = taken
        return Lease(job_id, attempt), rows.read_job(session, job_id)


def end_lapsed(engine: Engine) -> int:
    """End the jobs that a claim would end rather than take; return how many there were.

    Until somebody claims they would be told as running, though their worker is gone.
    """
    with reading(engine) as session:
        # mostly there is none, and to look is nobody's turn to write
        if session.scalar(_lost_for_good().limit(1)) is None:
            return 0
    with writing(engine) as session:
        return _end_lapsed(session)


def due_in(engine: Engine) -> float | None:
    """Return in how many seconds, at least 0, the next of these jobs can be claimed; None: never.

    By then a retry is due, or the lease of a running job has lapsed unless it was renewed.
    """
    waited = select(func.min(JobRow.claimable_at) - db_now()).where(LIVE)
    with reading(engine) as session:
        found = session.execute(waited).scalar_one()
    return None if found is None else max(0.0, found)


def renew(engine: Engine, lease: Lease, *, lease_seconds: float) -> bool:
    """Extend the lease from now; return whether somebody wants the job cancelled."""
    with writing(engine) as session:
        return fencing.write(session, lease, claimable_at=db_now() + lease_seconds)


def release(engine: Engine, lease: Lease) -> None:
    """Give the job back at once, without blame; cancelled if somebody wants that."""
    _give_back(engine, lease, **endings.requeued(delay_seconds=0, error=JobRow.error))


def retry(engine: Engine, lease: Lease, *, error: JobError, delay_seconds: float) -> None:
    """Give the job back for another attempt after the delay, or fail it after too many.

    Cancelled instead if somebody wants that.
    """
    spent = and_(JobRow.failures + 1 >= MAX_FAILURES, JobRow.cancel_requested.is_(False))
    again = endings.requeued(delay_seconds=delay_seconds, error=endings.document(error))
    ended = endings.ended(JobState.FAILED, error=endings.document(error))
    values = {name: case((spent, ended[name]), else_=again[name]) for name in again}
    _give_back(engine, lease, failures=JobRow.failures + 1, error_attempt=JobRow.attempt, **values)


def postpone(engine: Engine, lease: Lease, *, error: JobError, delay_seconds: float) -> None:
    """Give the job back for another attempt after the delay, and count no failure.

    Cancelled instead if somebody wants that.
    """
    again = endings.requeued(delay_seconds=delay_seconds, error=endings.document(error))
    _give_back(engine, lease, error_attempt=JobRow.attempt, **again)


def note_cause(engine: Engine, lease: Lease, error: JobError) -> None:
    """Remember why this attempt is about to end, for whoever finds its lease lapsed."""
    _write(engine, lease, error=endings.document(error), error_attempt=JobRow.attempt)


def begin(engine: Engine, lease: Lease, setup: Setup) -> None:
    """Store what was found out before the first trial, over what an earlier attempt stored."""
    document = codec.setup_document(setup)
    _write(engine, lease, setup=document, histograms=dict(setup.histograms))


def enter(engine: Engine, lease: Lease, stage: str) -> None:
    """Tell readers what the worker does now."""
    _write(engine, lease, stage=stage)


def add_images(engine: Engine, lease: Lease, images: int) -> None:
    """Count images evaluated outside trials."""
    _write(engine, lease, images_evaluated=JobRow.images_evaluated + images)


def succeed(engine: Engine, lease: Lease, result: Document) -> None:
    """End the job with its certified best."""
    _write(engine, lease, result=dict(result), **endings.ended(JobState.SUCCEEDED))


def end_infeasible(engine: Engine, lease: Lease, result: Document) -> None:
    """End the job with the closest allocation and what stood in the way."""
    _write(engine, lease, result=dict(result), **endings.ended(JobState.INFEASIBLE))


def fail(engine: Engine, lease: Lease, error: JobError) -> None:
    """End the job with its cause; another attempt would fail alike."""
    _write(engine, lease, **endings.ended(JobState.FAILED, error=endings.document(error)))


def cancel(engine: Engine, lease: Lease) -> None:
    """End the job on request."""
    _write(engine, lease, **endings.ended(JobState.CANCELLED))


def _write(engine: Engine, lease: Lease, **values: Any) -> None:
    with writing(engine) as session:
        fencing.write(session, lease, **values)


def _give_back(engine: Engine, lease: Lease, **values: Any) -> None:
    with writing(engine) as session:
        fencing.write(session, lease, **values)
        # also of a retry, which is due later: who waits then knows how long
        wakes.tell(session)


def _lost_for_good() -> Select[str]:
    """Return the lapsed jobs that should not be taken again."""
    return select(JobRow.id).where(
        JobRow.state == JobState.RUNNING, JobRow.claimable_at <= db_now(), _may_not_be_taken_again()
    )


def _may_not_be_taken_again() -> ColumnElement[bool]:
    """Return what holds for a running job that ends when its lease lapses."""
    return JobRow.cancel_requested | (JobRow.failures + 1 >= MAX_FAILURES)


def _end_lapsed(session: Session) -> int:
    """End them, cancelled on request, else failed; return how many."""
    cancelled = JobRow.cancel_requested
    lapsed = _lost_for_good().with_for_update(skip_locked=True)
    values = endings.ended(JobState.FAILED) | {
        "state": case((cancelled, JobState.CANCELLED), else_=JobState.FAILED),
        "failures": case((cancelled, JobRow.failures), else_=JobRow.failures + 1),
        "error": case((cancelled, null()), else_=endings.lost_cause()),
        "error_attempt": JobRow.attempt,
    }
    statement = update(JobRow).where(JobRow.id.in_(lapsed)).values(**values).returning(JobRow.id)
    return len(session.execute(statement, execution_options=_UNSYNCHRONIZED).all())


def _take_next(lease_seconds: float) -> Any:
    """Return the one statement, the same for both databases, that takes a job.

    SQLite leaves out FOR UPDATE: there, the transaction already holds the only right to write.
    """
    lapsed = JobRow.state == JobState.RUNNING
    following = (
        select(JobRow.id)
        # the latter may have lapsed since those that had were ended: the next claim ends it
        .where(LIVE, JobRow.claimable_at <= db_now(), ~(lapsed & _may_not_be_taken_again()))
        .order_by(JobRow.priority.desc(), JobRow.created_at, JobRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(JobRow)
        .where(JobRow.id == following)
        .values(
            state=JobState.RUNNING,
            stage="starting",
            attempt=JobRow.attempt + 1,
            failures=JobRow.failures + case((lapsed, 1), else_=0),
            error=case((lapsed, endings.lost_cause()), else_=JobRow.error),
            error_attempt=case((lapsed, JobRow.attempt), else_=JobRow.error_attempt),
            claimable_at=db_now() + lease_seconds,
            started_at=func.coalesce(JobRow.started_at, db_now()),
        )
        .returning(JobRow.id, JobRow.attempt)
    )
