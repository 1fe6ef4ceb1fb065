"""What a lease fences: a worker that no longer holds its job changes nothing in the database."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import select

from service import store
from service.store import jobs
from service.store import leases
from service.store import reuse
from service.store import starts
from service.store import trials
from service.store.errors import LeaseLost
from service.store.models import Base
from service.store.starts import Start
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.samples import ERROR
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import SETUP
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial

Write = Callable[[Engine, Lease], object]

FENCED: dict[str, Write] = {
    "leases.renew": lambda engine, lease: leases.renew(engine, lease, lease_seconds=LONG),
    "leases.release": leases.release,
    "leases.retry": lambda engine, lease: leases.retry(engine, lease, error=ERROR, delay_seconds=0),
    "leases.postpone": lambda engine, lease: leases.postpone(
        engine, lease, error=ERROR, delay_seconds=0
    ),
    "leases.note_cause": lambda engine, lease: leases.note_cause(engine, lease, ERROR),
    "leases.begin": lambda engine, lease: leases.begin(engine, lease, SETUP),
    "leases.enter": lambda engine, lease: leases.enter(engine, lease, "searching"),
    "leases.add_images": lambda engine, lease: leases.add_images(engine, lease, 10),
    "leases.succeed": lambda engine, lease: leases.succeed(engine, lease, {"format": 1}),
    "leases.end_infeasible": lambda engine, lease: leases.end_infeasible(engine, lease, {}),
    "leases.fail": lambda engine, lease: leases.fail(engine, lease, ERROR),
    "leases.cancel": leases.cancel,
    "reuse.answer": lambda engine, lease: reuse.answer(engine, lease, "a" * 64, fresh=False),
    "starts.stand_on": lambda engine, lease: starts.stand_on(engine, lease, {"model": "a" * 64}),
    "starts.keep": lambda engine, lease: starts.keep(engine, lease, Start(sensitivity=None)),
    "trials.record": lambda engine, lease: trials.record(
        engine, lease, trial(7), seconds=1, lease_seconds=LONG
    ),
}


def lapse(engine: Engine, lease: Lease) -> None:
    leases.renew(engine, lease, lease_seconds=LAPSED)


def lose_to_another(engine: Engine, lease: Lease) -> None:
    lapse(engine, lease)
    claim(engine)


LOSSES: dict[str, Write] = {
    "lapsed": lapse,
    "claimed by another": lose_to_another,
    "given back": leases.release,
    "ended": lambda engine, lease: leases.succeed(engine, lease, {"format": 1}),
}


class FenceContract:
    def test_the_table_above_holds_every_function_that_takes_a_lease(self) -> None:
        assert {name for name, _ in fenced_functions()} == set(FENCED)

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("write", FENCED)
    def test_a_lost_lease_writes_nothing(self, engine: Engine, write: str, loss: str) -> None:
        enqueue(engine)
        lease = claim(engine)
        trials.record(engine, lease, trial(0), seconds=1, lease_seconds=LONG)
        LOSSES[loss](engine, lease)
        before = everything(engine)
        with pytest.raises(LeaseLost, match=f"attempt 1 no longer holds job {lease.job_id}"):
            FENCED[write](engine, lease)
        assert everything(engine) == before

    @pytest.mark.parametrize("write", FENCED)
    def test_a_lease_that_holds_writes_to_its_job_alone(self, engine: Engine, write: str) -> None:
        other = enqueue(engine)
        claim(engine)
        job = enqueue(engine)
        lease = claim(engine)
        before, bystander = everything(engine), jobs.get(engine, other.id)
        FENCED[write](engine, lease)
        assert lease.job_id == job.id
        assert everything(engine) != before
        assert jobs.get(engine, other.id) == bystander

    @pytest.mark.parametrize(
        "write, state",
        [
            ("leases.succeed", JobState.SUCCEEDED),
            ("leases.end_infeasible", JobState.INFEASIBLE),
            ("leases.fail", JobState.FAILED),
            ("leases.cancel", JobState.CANCELLED),
        ],
    )
    def test_an_end_is_final(self, engine: Engine, write: str, state: JobState) -> None:
        job = enqueue(engine)
        FENCED[write](engine, claim(engine))
        job = jobs.get(engine, job.id)
        assert (job.state, job.stage) == (state, "")
        assert job.finished_at is not None
        assert leases.claim(engine, lease_seconds=LONG) is None

    def test_renewing_tells_whether_to_stop(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        assert not leases.renew(engine, lease, lease_seconds=LONG)
        jobs.request_cancel(engine, job.id)
        assert leases.renew(engine, lease, lease_seconds=LONG)

    def test_progress_is_what_its_worker_reports(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        leases.begin(engine, lease, SETUP)
        leases.enter(engine, lease, "searching")
        leases.add_images(engine, lease, 30)
        leases.add_images(engine, lease, 12)
        job = jobs.get(engine, job.id)
        assert (job.stage, job.setup, job.progress.images_evaluated) == ("searching", SETUP, 42)

    def test_beginning_again_replaces_the_setup(self, engine: Engine) -> None:
        job = enqueue(engine)
        leases.begin(engine, claim(engine, lease_seconds=LONG), SETUP)
        lapse(engine, Lease(job.id, 1))
        leases.begin(engine, claim(engine), SETUP)
        assert jobs.get(engine, job.id).setup == SETUP

    def test_a_result_is_kept_as_it_was_written(self, engine: Engine) -> None:
        job = enqueue(engine)
        result = {"points": {"z": 1, "a": 2}, "δ": 0.1}
        leases.succeed(engine, claim(engine), result)
        stored = jobs.get(engine, job.id).result
        assert stored == result
        assert list(stored["points"]) == ["z", "a"]


def fenced_functions() -> list[tuple[str, Any]]:
    """Return every function of the store that an engine and a lease open."""
    return [
        (f"{module.name}.{name}", function)
        for module in pkgutil.iter_modules(store.__path__)
        for name, function in vars(importlib.import_module(f"service.store.{module.name}")).items()
        if inspect.isfunction(function)
        and function.__module__ == f"service.store.{module.name}"
        and not name.startswith("_")
        and list(inspect.signature(function).parameters)[:2] == ["engine", "lease"]
    ]


def everything(engine: Engine) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }
