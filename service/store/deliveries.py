"""Deliveries: found from what has become of jobs, claimed by one sender each, and recorded.

Nothing that ends a job knows of webhooks: an event is noticed by the state that the job is in, so
no way to end a job can forget it. Whoever notices it turns the job's mark into a delivery in one
transaction.
"""

from typing import Any

import uuid_utils
from sqlalchemy import ColumnElement
from sqlalchemy import Engine
from sqlalchemy import Row
from sqlalchemy import and_
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import not_
from sqlalchemy import null
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session

from service.store import rows
from service.store.clock import db_now
from service.store.delivery_models import OPEN
from service.store.delivery_models import DeliveryRow
from service.store.errors import DeliveryNotFound
from service.store.errors import DeliveryPending
from service.store.models import END_UNTOLD
from service.store.models import START_UNTOLD
from service.store.models import JobRow
from service.store.shares import NOBODY
from service.store.shares import Full
from service.store.shares import open_to
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import Job
from service.store.webhooks import Delivery
from service.store.webhooks import DeliveryState
from service.store.webhooks import Event
from service.store.webhooks import Outcome

#: after so many without success a delivery is given up
MAX_TRIES = 8
#: jobs whose events are turned into deliveries at a time
BATCH = 100

LOST = "the service stopped while it waited for the answer"

_UNSYNCHRONIZED = {"synchronize_session": False}
_DUE = and_(OPEN, DeliveryRow.claimable_at <= db_now())


def claim(
    engine: Engine, *, lease_seconds: float, full: Full = NOBODY
) -> tuple[Delivery, Job] | None:
    """Take the next delivery that is due, with its job; None while there is none.

    Those of whom `full` names are passed over. Until the lease lapses or the outcome is recorded
    nobody else is given it. Writes nothing where there is nothing to do.
    """
    with reading(engine) as session:
        if not session.execute(select(_anything_to_do(full))).scalar_one():
            return None
    with writing(engine) as session:
        _note_events(session)
        _give_up_spent(session)
        taken = session.execute(
            _take_next(lease_seconds, full=full), execution_options=_UNSYNCHRONIZED
        )
        delivery_id = taken.scalar_one_or_none()
        if delivery_id is None:
            return None
        row = session.execute(select(DeliveryRow).where(DeliveryRow.id == delivery_id)).scalar_one()
        return _delivery(row), rows.read_job(session, row.job_id)


def record(
    engine: Engine, delivery: Delivery, outcome: Outcome, *, retry_in: float | None = None
) -> bool:
    """Note what came of the claimed try; after a failure, try again in so many seconds, or never.

    Returns False, with nothing written, where the lease has lapsed.
    """
    done = outcome.error is None
    again = None if done or retry_in is None else db_now() + retry_in
    statement = (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == delivery.id,
            DeliveryRow.tries == delivery.tries,
            # tries begin again with a resend
            DeliveryRow.last_try_at == delivery.last_try_at,
            DeliveryRow.claimable_at > db_now(),
        )
        .values(
            status=outcome.status,
            error=outcome.error,
            claimable_at=null() if again is None else again,
            delivered_at=db_now() if done else null(),
        )
        .returning(DeliveryRow.id)
    )
    with writing(engine) as session:
        written = session.execute(statement, execution_options=_UNSYNCHRONIZED)
        return written.scalar_one_or_none() is not None


def resend(engine: Engine, job_id: str, *, delivery_id: str) -> Delivery:
    """Return the delivery, due at once for a new series of tries under the same id.

    Raises DeliveryNotFound, and DeliveryPending while the series before is not over.
    """
    statement = (
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.job_id == job_id, not_(OPEN))
        .values(tries=0, claimable_at=db_now(), delivered_at=null(), status=null(), error=null())
        .returning(DeliveryRow.id)
    )
    sought = select(DeliveryRow).where(DeliveryRow.id == delivery_id, DeliveryRow.job_id == job_id)
    with writing(engine) as session:
        done = session.execute(statement, execution_options=_UNSYNCHRONIZED).scalar_one_or_none()
        row = session.scalars(sought).one_or_none()
        if row is None:
            raise DeliveryNotFound(job_id, delivery_id)
        if done is None:
            raise DeliveryPending(delivery_id)
        return _delivery(row)


def of_job(engine: Engine, job_id: str) -> tuple[Delivery, ...]:
    """Return the job's deliveries, in the order in which their events happened."""
    statement = select(DeliveryRow).where(DeliveryRow.job_id == job_id)
    with reading(engine) as session:
        found = session.scalars(statement.order_by(DeliveryRow.happened_at, DeliveryRow.id))
        return tuple(_delivery(row) for row in found)


def _anything_to_do(full: Full) -> ColumnElement[bool]:
    untold = exists().where(START_UNTOLD), exists().where(END_UNTOLD)
    return or_(*untold, exists().where(_DUE, open_to(full))).label("anything")


def _note_events(session: Session) -> None:
    """Turn what has happened to jobs into deliveries."""
    started = _unmark(session, START_UNTOLD, mark=JobRow.start_untold)
    ended = _unmark(session, END_UNTOLD, mark=JobRow.end_untold)
    happened = [(job, Event.STARTED, job.started_at) for job in started]
    happened += [(job, Event(job.state), job.finished_at) for job in ended]
    new = [
        {
            "id": f"msg_{uuid_utils.uuid7().hex}",
            "job_id": job.id,
            "event": event,
            "happened_at": at,
            "claimable_at": at,
        }
        for job, event, at in happened
        if event in job.webhook["events"]
    ]
    if new:
        session.execute(insert(DeliveryRow), new)


def _unmark(
    session: Session, untold: ColumnElement[bool], *, mark: InstrumentedAttribute[bool]
) -> list[Row[Any]]:
    """Return some jobs with the mark, and take it off them; nobody else is handed these."""
    found = select(JobRow.id).where(untold).limit(BATCH).with_for_update(skip_locked=True)
    statement = (
        update(JobRow)
        .where(JobRow.id.in_(found), untold)
        .values({mark: False})
        .returning(JobRow.id, JobRow.webhook, JobRow.state, JobRow.started_at, JobRow.finished_at)
    )
    return list(session.execute(statement, execution_options=_UNSYNCHRONIZED).all())


def _give_up_spent(session: Session) -> None:
    """Give up deliveries whose last try was lost with its process."""
    statement = (
        update(DeliveryRow)
        .where(_DUE, DeliveryRow.tries >= MAX_TRIES)
        .values(claimable_at=null(), status=null(), error=LOST)
    )
    session.execute(statement, execution_options=_UNSYNCHRONIZED)


def _take_next(lease_seconds: float, *, full: Full) -> Any:
    following = (
        select(DeliveryRow.id)
        # what was spent may have lapsed since such were given up: the next claim gives it up
        .where(_DUE, DeliveryRow.tries < MAX_TRIES, open_to(full))
        .order_by(DeliveryRow.tries, DeliveryRow.claimable_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(DeliveryRow)
        .where(DeliveryRow.id == following)
        .values(
            tries=DeliveryRow.tries + 1,
            claimable_at=db_now() + lease_seconds,
            last_try_at=db_now(),
        )
        .returning(DeliveryRow.id)
    )


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        id=row.id,
        job_id=row.job_id,
        event=Event(row.event),
        state=_state(row),
        happened_at=row.happened_at,
        tries=row.tries,
        last_try_at=row.last_try_at,
        next_try_at=row.claimable_at,
        delivered_at=row.delivered_at,
        status=row.status,
        error=row.error,
    )


def _state(row: DeliveryRow) -> DeliveryState:
    if row.delivered_at is not None:
        return DeliveryState.DELIVERED
    return DeliveryState.GIVEN_UP if row.claimable_at is None else DeliveryState.PENDING
