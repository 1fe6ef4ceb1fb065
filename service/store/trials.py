"""Trials: each recorded once, under a lease, together with the front it leads to."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Engine
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import exists
from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import tuple_
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from search.allocation import BitAllocation
from search.pareto import pareto_front
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store import codec
from service.store import cursors
from service.store import fencing
from service.store import rows
from service.store.clock import db_now
from service.store.errors import JobNotFound
from service.store.errors import TrialAlreadyRecorded
from service.store.errors import TrialNotFound
from service.store.models import FrontRow
from service.store.models import JobRow
from service.store.models import TrialRow
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import Lease
from service.store.values import Page
from service.store.values import StoredTrial

_UNSYNCHRONIZED = {"synchronize_session": False}


def record(
    engine: Engine, lease: Lease, result: TrialResult, *, seconds: float, lease_seconds: float
) -> bool:
    """Store the trial, renew the lease, update progress and front, all or nothing.

    Returns whether somebody wants the job cancelled. Raises LeaseLost and TrialAlreadyRecorded.
    """
    with writing(engine) as session:
        cancel_requested = fencing.write(
            session,
            lease,
            claimable_at=db_now() + lease_seconds,
            failures=0,
            trials=JobRow.trials + 1,
            images_evaluated=JobRow.images_evaluated + result.hits.images,
        )
        _insert(session, lease.job_id, result=result, seconds=seconds)
        if result.feasible:
            _update_best(session, lease.job_id, result=result)
        if result.complete and (result.feasible or goal(session, lease.job_id) == "front"):
            _update_front(session, lease.job_id, result=result)
    return cancel_requested


def history(engine: Engine, job_id: str) -> tuple[TrialResult, ...]:
    """Return every recorded trial in order; what `search.study.run` resumes from."""
    with reading(engine) as session:
        found = _select(session, job_id).order_by(TrialRow.number)
        return tuple(codec.trial_of(row) for row in session.execute(found).mappings())


def page(
    engine: Engine, job_id: str, *, limit: int = 50, cursor: str | None = None
) -> Page[StoredTrial]:
    """Return up to `limit` trials in order. Raises JobNotFound and BadCursor."""
    number = -1 if cursor is None else cursors.trial_key(cursor)
    found = after(engine, job_id, number, limit=limit + 1)
    more = len(found) > limit
    items = found[:limit]
    return Page(items=items, next_cursor=cursors.encode(items[-1].result.number) if more else None)


def after(engine: Engine, job_id: str, number: int, *, limit: int) -> tuple[StoredTrial, ...]:
    """Return up to `limit` trials above the number, in order: what a follower has not seen yet."""
    with reading(engine) as session:
        found = _select(session, job_id).where(TrialRow.number > number)
        return _stored(session, found.order_by(TrialRow.number).limit(limit))


def front(engine: Engine, job_id: str) -> tuple[StoredTrial, ...]:
    """Return the Pareto front, fewest bits first."""
    with reading(engine) as session:
        found = _select(session, job_id).join(FrontRow, _same_trial())
        return _stored(session, found.order_by(FrontRow.memory_bits))


def get(engine: Engine, job_id: str, number: int) -> StoredTrial:
    """Return one trial. Raises JobNotFound and TrialNotFound."""
    found = after(engine, job_id, number - 1, limit=1)
    if not found or found[0].result.number != number:
        raise TrialNotFound(job_id, number)
    return found[0]


def _insert(session: Session, job_id: str, *, result: TrialResult, seconds: float) -> None:
    statement = insert(TrialRow).values(
        job_id=job_id, seconds=seconds, finished_at=db_now(), **codec.trial_document(result)
    )
    try:
        session.execute(statement)
    except IntegrityError as error:
        raise TrialAlreadyRecorded(job_id, result.number) from error


def _update_best(session: Session, job_id: str, *, result: TrialResult) -> None:
    """Note a feasible trial as the best unless the one noted takes fewer bits, or as few sooner."""
    better = exists().where(
        TrialRow.job_id == job_id,
        TrialRow.number == JobRow.best_number,
        tuple_(TrialRow.memory_bits, TrialRow.number) < (result.memory_bits, result.number),
    )
    noted = update(JobRow).where(JobRow.id == job_id, ~better).values(best_number=result.number)
    session.execute(noted, execution_options=_UNSYNCHRONIZED)


def goal(session: Session, job_id: str) -> str | None:
    """Return the goal that was asked for; None where a release that knew none was asked."""
    asked = JobRow.submission["spec"]["goal"].as_string()
    return session.scalar(select(asked).where(JobRow.id == job_id))


def _update_front(session: Session, job_id: str, *, result: TrialResult) -> None:
    """Let the trial join the front and drop whom it dominates.

    Whether it may stand on the front at all, by the goal of its job, was asked before. The old
    front and one more say as much as all trials: whom the front dominates stays dominated.
    """
    ours = FrontRow.job_id == job_id
    columns = select(FrontRow.number, FrontRow.memory_bits, FrontRow.correct)
    rivals = [
        _outline(number, memory_bits=memory_bits, correct=correct)
        for number, memory_bits, correct in session.execute(columns.where(ours, _rivals(result)))
    ]
    standing = {trial.number for trial in pareto_front([*rivals, result], goal="front")}
    if result.number not in standing:
        return
    dominated = [trial.number for trial in rivals if trial.number not in standing]
    if dominated:
        gone = delete(FrontRow).where(ours, FrontRow.number.in_(dominated))
        session.execute(gone, execution_options=_UNSYNCHRONIZED)
    joining = {"memory_bits": result.memory_bits, "correct": result.hits.correct}
    session.execute(insert(FrontRow).values(job_id=job_id, number=result.number, **joining))


def _rivals(result: TrialResult) -> ColumnElement[bool]:
    """Return the condition of dominating the trial or being dominated by it, or its equal.

    On a long front that leaves a few, and `pareto_front` judges those.
    """
    stronger = and_(
        FrontRow.memory_bits <= result.memory_bits, FrontRow.correct >= result.hits.correct
    )
    weaker = and_(
        FrontRow.memory_bits >= result.memory_bits, FrontRow.correct <= result.hits.correct
    )
    return or_(stronger, weaker)


def _outline(number: int, *, memory_bits: int, correct: int) -> TrialResult:
    """Return a feasible, complete trial with no more than domination looks at."""
    return TrialResult(
        number=number,
        allocation=BitAllocation(()),
        origin="",
        memory_bits=memory_bits,
        hits=Hits(correct=correct),
        complete=True,
        constraint=0.0,
        verdict=Verdict.HELD,
    )


def _same_trial() -> ColumnElement[bool]:
    return (FrontRow.job_id == TrialRow.job_id) & (FrontRow.number == TrialRow.number)


def _select(session: Session, job_id: str) -> Select[*tuple[Any, ...]]:
    rows.require_job_id(job_id)
    if session.scalar(select(JobRow.id).where(JobRow.id == job_id)) is None:
        raise JobNotFound(job_id)
    return rows.select_trials().where(TrialRow.job_id == job_id)


def _stored(session: Session, statement: Select[*tuple[Any, ...]]) -> tuple[StoredTrial, ...]:
    return tuple(rows.trial_of(row) for row in session.execute(statement).mappings())
