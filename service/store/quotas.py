"""Quotas: what each tenant may use, checked in the transaction that adds a job."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine
from sqlalchemy import Row
from sqlalchemy import case
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store import upserts
from service.store.access import Quota
from service.store.access_models import QuotaRow
from service.store.clock import db_now
from service.store.errors import QuotaExceeded
from service.store.models import LIVE
from service.store.models import JobRow
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import JobState
from service.store.values import Submission

#: the tenant whose quota holds for those that have none of their own
EVERYBODY = "*"
DAYS = 30  # over which trials and images are summed up, counted back from now

_DAY = 86_400.0  # seconds


def put(engine: Engine, quota: Quota) -> None:
    """Let the quota hold for its tenant from now on, in place of an earlier one."""
    limits = _limits(quota)
    with writing(engine) as session:
        statement = upserts.insert(session, QuotaRow).values(tenant=quota.tenant, **limits)
        session.execute(
            statement.on_conflict_do_update(index_elements=[QuotaRow.tenant], set_=limits)
        )


def remove(engine: Engine, tenant: str) -> bool:
    """Forget the tenant's own quota; tell whether it had one."""
    with writing(engine) as session:
        statement = delete(QuotaRow).where(QuotaRow.tenant == tenant).returning(QuotaRow.tenant)
        return session.execute(statement).scalar_one_or_none() is not None


def every(engine: Engine) -> tuple[Quota, ...]:
    """Return all quotas by tenant, that of everybody else first."""
    with reading(engine) as session:
        rows = session.scalars(select(QuotaRow).order_by(QuotaRow.tenant))
        return tuple(_quota(row) for row in rows)


def holding(session: Session, tenant: str) -> Quota | None:
    """Return the quota that holds for the tenant; others who ask for it wait until the end.

    Without that, two jobs submitted at once would each find room for one.
    """
    # columns, by the connection: nearly always there are none, and every submission asks
    wanted = select(*inspect(QuotaRow).columns).where(QuotaRow.tenant.in_((tenant, EVERYBODY)))
    rows = {row.tenant: row for row in session.connection().execute(wanted)}
    if not rows:
        return None
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(tenant, 0))))
    return _quota(rows.get(tenant) or rows[EVERYBODY])


def require_room(session: Session, quota: Quota, *, submission: Submission) -> None:
    """Raise QuotaExceeded if the tenant, its newest job included, is beyond its quota."""
    require_priority(quota, submission.priority)
    for name, limit, used in _used(session, quota, tenant=submission.tenant):
        if used > limit:
            raise QuotaExceeded(name, asked=used, limit=limit)


def require_priority(quota: Quota, priority: int) -> None:
    """Raise QuotaExceeded if the tenant may not ask for as high a priority."""
    if quota.priority is not None and priority > quota.priority:
        raise QuotaExceeded("priority", asked=priority, limit=quota.priority)


def _used(session: Session, quota: Quota, *, tenant: str) -> Iterator[tuple[str, int, int]]:
    own = JobRow.tenant == tenant
    if quota.queued_jobs is not None:
        count = select(func.count()).where(own, JobRow.state == JobState.QUEUED)
        yield "queued_jobs", quota.queued_jobs, session.execute(count).scalar_one()
    lately = JobRow.created_at > db_now() - DAYS * _DAY
    if quota.trials is not None:
        budget = JobRow.submission[("spec", "budget")].as_integer()
        # what was answered from an earlier job was counted with that
        own_trials = case((JobRow.answered_by.is_(None), JobRow.trials), else_=0)
        trials = func.coalesce(func.sum(case((LIVE, budget), else_=own_trials)), 0)
        spent = session.execute(select(trials).where(own, lately)).scalar_one()
        yield "trials", quota.trials, int(spent)
    if quota.images is not None:
        images = func.coalesce(func.sum(JobRow.images_evaluated), 0)
        spent = session.execute(select(images).where(own, lately)).scalar_one()
        # what is used up leaves no room; how many images a job takes is not known beforehand
        yield "images", quota.images - 1, int(spent)


def _limits(quota: Quota) -> dict[str, int | None]:
    return {
        "queued_jobs": quota.queued_jobs,
        "trials": quota.trials,
        "images": quota.images,
        "priority": quota.priority,
    }


def _quota(row: QuotaRow | Row[*tuple[Any, ...]]) -> Quota:
    return Quota(
        tenant=row.tenant,
        queued_jobs=row.queued_jobs,
        trials=row.trials,
        images=row.images,
        priority=row.priority,
    )
