"""The priority of a job that waits, or may wait again, raised or lowered after it was submitted."""

from sqlalchemy import Engine
from sqlalchemy import select
from sqlalchemy import update

from service.store import quotas
from service.store import rows
from service.store.errors import JobAlreadyFinal
from service.store.models import LIVE
from service.store.models import JobRow
from service.store.transactions import writing
from service.store.values import Job


def change(engine: Engine, job_id: str, priority: int) -> Job:
    """Return the job with another priority, by which the next claim goes.

    Of a running job it matters once that returns to the queue. What was submitted stays as it was:
    the same submission with the same key is still this job. Raises JobNotFound, JobAlreadyFinal,
    and QuotaExceeded above what its tenant may ask for.
    """
    rows.require_job_id(job_id)
    with writing(engine) as session:
        tenant = session.scalar(select(JobRow.tenant).where(JobRow.id == job_id))
        quota = None if tenant is None else quotas.holding(session, tenant)
        if quota is not None:
            quotas.require_priority(quota, priority)
        statement = (
            update(JobRow)
            .where(JobRow.id == job_id, LIVE)
            .values(priority=priority)
            .returning(JobRow.id)
        )
        done = session.execute(
            statement, execution_options={"synchronize_session": False}
        ).scalar_one_or_none()
        job = rows.read_job(session, job_id)
    if done is None:
        raise JobAlreadyFinal(job.id, job.state)
    return job
