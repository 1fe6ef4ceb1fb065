"""How the whole queue stands, in two statements: what monitoring asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy import Row
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.clock import db_now
from service.store.models import LIVE
from service.store.models import JobRow
from service.store.transactions import reading
from service.store.values import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Figures over all jobs that the database holds."""

    #: how many are in each state, 0 included
    jobs: Mapping[JobState, int]
    #: queued jobs that are due
    due: int
    #: seconds that the one which has been due longest has waited; 0 where none is
    oldest_due_seconds: float
    #: running jobs whose lease has lapsed and that nobody has claimed again
    lapsed: int
    #: trials recorded
    trials: int
    #: counted by the workers: calibration, baseline, trials and certification together
    images: int
    #: claims of jobs, the first ones and those after a failure or a release
    claims: int


def read(engine: Engine) -> Totals:
    """Return the figures as one transaction sees them; it reads every job's row, and no trial's."""
    with reading(engine) as session:
        by_state = _by_state(session)
        due, oldest, lapsed = _live(session)
    return Totals(
        jobs={state: by_state[state][0] if state in by_state else 0 for state in JobState},
        due=due,
        # the clock may have been set back meanwhile
        oldest_due_seconds=max(0.0, oldest or 0.0),
        lapsed=lapsed,
        trials=sum(trials for _, trials, _, _ in by_state.values()),
        images=sum(images for _, _, images, _ in by_state.values()),
        claims=sum(claims for _, _, _, claims in by_state.values()),
    )


def _by_state(session: Session) -> Mapping[JobState, tuple[int, int, int, int]]:
    """Return jobs, trials, images and claims of each state that there is."""
    sums = (func.sum(JobRow.trials), func.sum(JobRow.images_evaluated), func.sum(JobRow.attempt))
    found = session.execute(select(JobRow.state, func.count(), *sums).group_by(JobRow.state))
    # PostgreSQL adds up 64-bit numbers as decimals
    return {
        JobState(state): (jobs, int(trials), int(images), int(claims))
        for state, jobs, trials, images, claims in found
    }


def _live(session: Session) -> Row[int, float | None, int]:
    """Return how many jobs are due, for how long, and how many leases have lapsed."""
    late = JobRow.claimable_at <= db_now()
    due = and_(JobRow.state == JobState.QUEUED, late)
    lapsed = and_(JobRow.state == JobState.RUNNING, late)
    oldest = db_now() - func.min(JobRow.claimable_at).filter(due)
    statement = select(func.count().filter(due), oldest, func.count().filter(lapsed)).where(LIVE)
    return session.execute(statement).one()
