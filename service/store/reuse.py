"""A search that was carried out before on the same content is answered from it, whole."""

from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm import aliased

from service.store import endings
from service.store import fencing
from service.store.models import FrontRow
from service.store.models import JobRow
from service.store.models import StartRow
from service.store.models import TrialRow
from service.store.transactions import writing
from service.store.values import JobState
from service.store.values import Lease

#: what is a job's own, of the columns that tell what its search found
_FOUND = ("setup", "histograms", "result", "trials", "best_number", "taken")


def answer(engine: Engine, lease: Lease, content: str, *, fresh: bool) -> bool:
    """Note what the job's search depends on; end the job if an earlier one succeeded on the same.

    The earlier job is the newest of the same tenant. Its start, trials, front, setup and result
    become this job's too. `fresh`: look for none. Returns whether the job has ended. Raises
    LeaseLost.
    """
    with writing(engine) as session:
        fencing.write(session, lease, content=content)
        earlier = None if fresh else _earlier(session, lease, content=content)
        if earlier is None:
            return False
        _copy(session, earlier, to=lease.job_id)
        return True


def _earlier(session: Session, lease: Lease, *, content: str) -> str | None:
    own = aliased(JobRow)
    # trials of its own: an attempt at it was under way, and goes on
    tenant = select(own.tenant).where(own.id == lease.job_id, own.trials == 0).scalar_subquery()
    found = (
        select(JobRow.id)
        .where(
            JobRow.tenant == tenant, JobRow.content == content, JobRow.state == JobState.SUCCEEDED
        )
        .order_by(JobRow.created_at.desc(), JobRow.id.desc())
        .limit(1)
    )
    return session.execute(found).scalar_one_or_none()


def _copy(session: Session, earlier: str, *, to: str) -> None:
    for table in (TrialRow, FrontRow, StartRow):
        columns = [column for column in table.__table__.columns if column.name != "job_id"]
        rows = select(literal(to, JobRow.id.type), *columns).where(table.job_id == earlier)
        names = ["job_id", *(column.name for column in columns)]
        session.execute(insert(table).from_select(names, rows))
    source = aliased(JobRow)
    found = {
        name: select(getattr(source, name)).where(source.id == earlier).scalar_subquery()
        for name in _FOUND
    }
    statement = (
        update(JobRow)
        .where(JobRow.id == to)
        .values(**found, **endings.ended(JobState.SUCCEEDED), answered_by=earlier)
    )
    session.execute(statement, execution_options={"synchronize_session": False})
