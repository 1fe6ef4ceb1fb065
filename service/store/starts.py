"""What a search starts from: kept with its job before the first trial, read by later jobs."""

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from search.pareto import pareto_front
from search.spec import JobSpec
from search.trial import TrialResult
from service.store import codec
from service.store import fencing
from service.store import rows
from service.store import trials
from service.store.clock import db_now
from service.store.errors import JobNotFound
from service.store.models import FrontRow
from service.store.models import JobRow
from service.store.models import StartRow
from service.store.models import TrialRow
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import Document
from service.store.values import Job
from service.store.values import Lease
from service.store.values import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was found out, or taken over, before the first trial."""

    #: as a worker writes it; None: the sampler asks for none
    sensitivity: Document | None
    #: of an earlier job, judged anew and numbered from 0
    trials: Sequence[TrialResult] = ()
    #: None: no job was started from
    taken: Taken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A job that has ended, as one that starts from it needs it."""

    id: str
    spec: JobSpec
    #: what its evaluations depend on; None: it ended before that was known
    ground: Document | None
    sensitivity: Document | None
    trials: Sequence[TrialResult]


def stand_on(engine: Engine, lease: Lease, ground: Document) -> None:
    """Note what the job's evaluations depend on. Raises LeaseLost."""
    with writing(engine) as session:
        fencing.write(session, lease, ground=dict(ground))


def keep(engine: Engine, lease: Lease, start: Start) -> None:
    """Keep the start, with its trials as the job's first, all or nothing; once for each job.

    They are counted neither as trials nor as images of this job. Raises LeaseLost.
    """
    with writing(engine) as session:
        fencing.write(session, lease, taken=None if start.taken is None else asdict(start.taken))
        own = {"job_id": lease.job_id}
        document = None if start.sensitivity is None else dict(start.sensitivity)
        session.execute(insert(StartRow).values(**own, sensitivity=document))
        if start.trials:
            _insert(session, lease.job_id, found=start.trials)


def kept(engine: Engine, job_id: str) -> Start | None:
    """Return the job's start with its sensitivity alone; None before it is kept."""
    with reading(engine) as session:
        found = session.scalars(select(StartRow).where(StartRow.job_id == job_id)).one_or_none()
        return None if found is None else Start(sensitivity=found.sensitivity)


def earlier(engine: Engine, job_id: str, *, tenant: str) -> Earlier:
    """Return the tenant's job of this id. Raises JobNotFound."""
    rows.require_job_id(job_id)
    statement = (
        select(JobRow.submission, JobRow.ground, StartRow.sensitivity)
        .outerjoin(StartRow, StartRow.job_id == JobRow.id)
        .where(JobRow.id == job_id, JobRow.tenant == tenant)
    )
    with reading(engine) as session:
        found = session.execute(statement).one_or_none()
    if found is None:
        raise JobNotFound(job_id)
    submission, ground, sensitivity = found
    return Earlier(
        id=job_id,
        spec=codec.submission_of(submission).spec,
        ground=ground,
        sensitivity=sensitivity,
        trials=trials.history(engine, job_id),
    )


def candidate(engine: Engine, job_id: str, *, tenant: str) -> tuple[Job, bool]:
    """Return the tenant's job of this id, without its large documents, and whether it has begun.

    Raises JobNotFound.
    """
    rows.require_job_id(job_id)
    wanted = (JobRow.id == job_id, JobRow.tenant == tenant)
    with reading(engine) as session:
        statement = rows.select_outlines().add_columns(JobRow.ground).where(*wanted)
        row = session.execute(statement).mappings().one_or_none()
        if row is None:
            raise JobNotFound(job_id)
        begun = row["ground"] is not None and row["setup"] is not None
        return rows.outline_of(row), begun


def _insert(session: Session, job_id: str, *, found: Sequence[TrialResult]) -> None:
    now = session.scalar(select(db_now()))
    told = {"job_id": job_id, "seconds": 0.0, "finished_at": now}
    session.execute(insert(TrialRow), [told | codec.trial_document(trial) for trial in found])
    held = [trial for trial in found if trial.feasible]
    if held:
        best = min(held, key=lambda trial: (trial.memory_bits, trial.number))
        noted = update(JobRow).where(JobRow.id == job_id).values(best_number=best.number)
        session.execute(noted, execution_options={"synchronize_session": False})
    front = pareto_front(found, goal=trials.goal(session, job_id) or "floor")
    if front:
        session.execute(
            insert(FrontRow),
            [
                {
                    "job_id": job_id,
                    "number": trial.number,
                    "memory_bits": trial.memory_bits,
                    "correct": trial.hits.correct,
                }
                for trial in front
            ],
        )
