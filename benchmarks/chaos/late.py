"""Every write that a worker could try under a lease it has lost."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store import reuse
from service.store import starts
from service.store import trials
from service.store.errors import LeaseLost
from service.store.starts import Start
from service.store.values import JobError
from service.store.values import Lease

_ERROR = JobError(code="late", message="this must not be stored")
_LONG = 3600.0  # seconds

Write = Callable[[], object]


def refused(engine: Engine, lease: Lease) -> tuple[int, int]:
    """Try every write; return how many were refused, and how many there are."""
    writes = [*_writes(engine, lease)]
    return sum(_is_refused(write) for write in writes), len(writes)


def _is_refused(write: Write) -> bool:
    try:
        write()
    except LeaseLost:
        return True
    return False


def _writes(engine: Engine, lease: Lease) -> Iterator[Write]:
    job = jobs.get(engine, lease.job_id)
    setup, history = job.setup, trials.history(engine, lease.job_id)
    assert setup is not None
    trial = replace(history[-1], number=100_000)
    yield lambda: trials.record(engine, lease, trial, seconds=1.0, lease_seconds=_LONG)
    yield lambda: leases.renew(engine, lease, lease_seconds=_LONG)
    yield lambda: leases.begin(engine, lease, setup)
    yield lambda: leases.enter(engine, lease, "late")
    yield lambda: leases.add_images(engine, lease, 1)
    yield lambda: leases.note_cause(engine, lease, _ERROR)
    yield lambda: leases.release(engine, lease)
    yield lambda: leases.retry(engine, lease, error=_ERROR, delay_seconds=0.0)
    yield lambda: leases.postpone(engine, lease, error=_ERROR, delay_seconds=0.0)
    yield lambda: leases.cancel(engine, lease)
    yield lambda: leases.fail(engine, lease, _ERROR)
    yield lambda: leases.end_infeasible(engine, lease, {})
    yield lambda: leases.succeed(engine, lease, {})
    yield lambda: starts.stand_on(engine, lease, {"model": "late"})
    yield lambda: starts.keep(engine, lease, Start(sensitivity=None))
    yield lambda: reuse.answer(engine, lease, "late", fresh=True)
