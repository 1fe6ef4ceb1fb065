"""Writes of an attempt that are done once, though the answer to the first try may get lost."""

from sqlalchemy import Engine

from search.trial import TrialResult
from service.store import jobs
from service.store import leases
from service.store import starts
from service.store import trials
from service.store.errors import TrialAlreadyRecorded
from service.store.starts import Start
from service.store.values import JobState
from service.store.values import Lease


def recorded(
    engine: Engine, lease: Lease, result: TrialResult, *, seconds: float, lease_seconds: float
) -> bool:
    """Record the trial, unless the same was recorded and only the answer to that got lost.

    Returns whether somebody wants the job cancelled. Raises LeaseLost and TrialAlreadyRecorded.
    """
    try:
        return trials.record(engine, lease, result, seconds=seconds, lease_seconds=lease_seconds)
    except TrialAlreadyRecorded:
        if trials.get(engine, lease.job_id, result.number).result != result:
            raise
        return leases.renew(engine, lease, lease_seconds=lease_seconds)


def kept(engine: Engine, lease: Lease, found: Start) -> None:
    """Keep the start, unless it is kept already and only the answer to that got lost."""
    if starts.kept(engine, lease.job_id) is None:
        starts.keep(engine, lease, found)


def concluded(engine: Engine, lease: Lease) -> bool:
    """Tell whether the attempt has ended its job with a result, which nobody else may do."""
    job = jobs.outline(engine, lease.job_id)
    return job.attempt == lease.attempt and job.state in (JobState.SUCCEEDED, JobState.INFEASIBLE)
