"""Jobs as clients see them: submitted, looked up, listed, counted, cancelled."""

from collections.abc import Mapping

from sqlalchemy import Engine
from sqlalchemy import Text
from sqlalchemy import case
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from service.store import additions
from service.store import codec
from service.store import cursors
from service.store import endings
from service.store import listings
from service.store import quotas
from service.store import rows
from service.store.clock import db_now
from service.store.errors import IdempotencyConflict
from service.store.errors import JobAlreadyFinal
from service.store.errors import JobNotFound
from service.store.models import LIVE
from service.store.models import JobRow
from service.store.transactions import glancing
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import EVERY_JOB
from service.store.values import Job
from service.store.values import JobFilter
from service.store.values import JobState
from service.store.values import Page
from service.store.values import Submission


def enqueue(engine: Engine, submission: Submission) -> tuple[Job, bool]:
    """Return the queued job and True, or the job that the key already stands for and False.

    Raises IdempotencyConflict where the key came with another submission, and QuotaExceeded.
    """
    with writing(engine) as session:
        quota = quotas.holding(session, submission.tenant)
        # by the connection: nobody asks the session for these rows
        added = additions.add(session.connection(), submission)
        if added is not None:
            if quota is not None:
                quotas.require_room(session, quota, submission=submission)
            return added, True
        job = rows.read_job(session, _id_of(session, submission))
    if not _alike(job.submission, submission):
        raise IdempotencyConflict(str(submission.idempotency_key), job.id)
    return job, False


def get(engine: Engine, job_id: str) -> Job:
    """Return the job; raise JobNotFound, also for what cannot be an id."""
    with glancing(engine) as connection:
        return rows.read_job(connection, job_id)


def outline(engine: Engine, job_id: str) -> Job:
    """Return the job as a listing would, without its large documents; raise JobNotFound."""
    rows.require_job_id(job_id)
    statement = rows.select_outlines().where(JobRow.id == job_id)
    with glancing(engine) as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    return rows.outline_of(row)


def result(engine: Engine, job_id: str) -> tuple[JobState, str | None]:
    """Return the job's state and its result, the JSON text as it was written.

    Nothing else is read: pipelines ask often. Raises JobNotFound.
    """
    rows.require_job_id(job_id)
    statement = select(JobRow.state, cast(JobRow.result, Text)).where(JobRow.id == job_id)
    with glancing(engine) as connection:
        found = connection.execute(statement).one_or_none()
    if found is None:
        raise JobNotFound(job_id)
    return JobState(found[0]), found[1]


def require(engine: Engine, job_id: str, *, tenant: str) -> None:
    """Raise JobNotFound unless there is such a job of this tenant."""
    rows.require_job_id(job_id)
    statement = select(JobRow.id).where(JobRow.id == job_id, JobRow.tenant == tenant)
    with glancing(engine) as connection:
        if connection.execute(statement).first() is None:
            raise JobNotFound(job_id)


def page(
    engine: Engine,
    wanted: JobFilter = EVERY_JOB,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Job]:
    """Return up to `limit` jobs, newest first, without their large documents.

    Those are the histograms of their setups, and the best of those that succeeded.
    Jobs that arrive while somebody pages neither repeat nor displace one. Raises BadCursor.
    """
    # one more than asked for tells whether there are more
    statement, said = listings.listing(wanted, limit=limit + 1, cursor=cursor)
    with glancing(engine) as connection:
        found = connection.execute(statement, said).mappings().all()
    items = tuple(rows.outline_of(row) for row in found[:limit])
    more = len(found) > limit
    return Page(
        items=items,
        next_cursor=cursors.encode(items[-1].created_at, items[-1].id) if more else None,
    )


def request_cancel(engine: Engine, job_id: str) -> Job:
    """Return the job, cancelled if nobody works on it, else with the request noted for its worker.

    Raises JobNotFound and JobAlreadyFinal.
    """
    rows.require_job_id(job_id)
    idle = or_(JobRow.state == JobState.QUEUED, JobRow.claimable_at <= db_now())
    over = endings.ended(JobState.CANCELLED)
    values = {name: case((idle, over[name]), else_=getattr(JobRow, name)) for name in over}
    statement = (
        update(JobRow)
        .where(JobRow.id == job_id, LIVE)
        .values(cancel_requested=True, **values)
        .returning(JobRow.id)
    )
    with writing(engine) as session:
        done = session.execute(
            statement, execution_options={"synchronize_session": False}
        ).scalar_one_or_none()
        job = rows.read_job(session, job_id)
    if done is None:
        raise JobAlreadyFinal(job.id, job.state)
    return job


def counts_by_state(engine: Engine) -> Mapping[JobState, int]:
    """Return how many jobs are in each state, 0 included."""
    with reading(engine) as session:
        found = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
        counts = {JobState(state): count for state, count in found}
    return {state: counts.get(state, 0) for state in JobState}


def _alike(one: Submission, other: Submission) -> bool:
    documents = [codec.submission_document(submission) for submission in (one, other)]
    apart = [(submission.webhook, submission.from_job) for submission in (one, other)]
    return documents[0] == documents[1] and apart[0] == apart[1]


def _id_of(session: Session, submission: Submission) -> str:
    digest = additions.key_digest(submission)
    return session.execute(
        select(JobRow.id).where(JobRow.idempotency_digest == digest)
    ).scalar_one()
