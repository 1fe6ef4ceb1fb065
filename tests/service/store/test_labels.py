"""What labels copy of their jobs is as the jobs have it, whoever writes, of whichever release."""

from collections.abc import Callable

import pytest
from alembic import command
from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy import update

from service.store import codec
from service.store import jobs
from service.store import leases
from service.store import reuse
from service.store import schema
from service.store import session
from service.store.models import JobRow
from service.store.models import LabelRow
from service.store.values import JobFilter
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.samples import ERROR
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue

LABEL = ("team", "vision")

Move = Callable[[Engine, Lease], object]

MOVES: dict[str, tuple[Move, JobState]] = {
    "claimed": (lambda _engine, _lease: None, JobState.RUNNING),
    "released": (leases.release, JobState.QUEUED),
    "to be tried again": (
        lambda engine, lease: leases.retry(engine, lease, error=ERROR, delay_seconds=0),
        JobState.QUEUED,
    ),
    "succeeded": (
        lambda engine, lease: leases.succeed(engine, lease, {"format": 1}),
        JobState.SUCCEEDED,
    ),
    "infeasible": (
        lambda engine, lease: leases.end_infeasible(engine, lease, {}),
        JobState.INFEASIBLE,
    ),
    "failed": (lambda engine, lease: leases.fail(engine, lease, ERROR), JobState.FAILED),
    "cancelled": (leases.cancel, JobState.CANCELLED),
}


def found(engine: Engine, state: JobState, tenant: str = "default") -> list[str]:
    wanted = JobFilter(tenant=tenant, state=state, label=LABEL)
    return [job.id for job in jobs.page(engine, wanted).items]


def copies(engine: Engine) -> list[tuple[str | None, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(select(LabelRow.tenant, LabelRow.state).order_by(LabelRow.digest))
        return [tuple(row) for row in rows]


class TestState:
    @pytest.mark.parametrize("move", MOVES)
    def test_a_job_is_found_by_label_in_the_state_it_is_in_and_in_no_other(
        self, engine: Engine, move: str
    ) -> None:
        job = enqueue(engine, labels=dict([LABEL]))
        act, state = MOVES[move]
        act(engine, claim(engine))
        assert {one: found(engine, one) for one in JobState} == {
            one: [job.id] if one is state else [] for one in JobState
        }

    def test_one_that_is_cancelled_in_the_queue_moves(self, engine: Engine) -> None:
        job = enqueue(engine, labels=dict([LABEL]))
        jobs.request_cancel(engine, job.id)
        assert found(engine, JobState.CANCELLED) == [job.id]

    def test_one_that_an_earlier_job_answers_moves(self, engine: Engine) -> None:
        enqueue(engine)
        earlier = claim(engine)
        reuse.answer(engine, earlier, "a" * 64, fresh=False)
        leases.succeed(engine, earlier, {"format": 1})
        job = enqueue(engine, labels=dict([LABEL]))
        assert reuse.answer(engine, claim(engine), "a" * 64, fresh=False)
        assert found(engine, JobState.SUCCEEDED) == [job.id]

    def test_the_labels_of_others_stay(self, engine: Engine) -> None:
        enqueue(engine, labels=dict([LABEL]))
        other = enqueue(engine, labels=dict([LABEL]))
        claim(engine)
        assert found(engine, JobState.QUEUED) == [other.id]


class TestTenant:
    def test_a_job_is_found_by_label_for_its_tenant_alone(self, engine: Engine) -> None:
        job = enqueue(engine, labels=dict([LABEL]), tenant="vision")
        enqueue(engine, labels=dict([LABEL]), tenant="speech")
        assert found(engine, JobState.QUEUED, tenant="vision") == [job.id]


class TestEarlierRelease:
    def test_what_it_leaves_out_is_filled_in(self, engine: Engine) -> None:
        job = enqueue(engine, tenant="vision")
        enqueue(engine, labels={"run": "1"})
        known = {"job_id": job.id, "digest": codec.digest(*LABEL), "created_at": job.created_at}
        with engine.begin() as connection:
            connection.execute(insert(LabelRow).values(known))
        assert found(engine, JobState.QUEUED, tenant="vision") == [job.id]

    def test_what_it_ends_moves(self, engine: Engine) -> None:
        job = enqueue(engine, labels=dict([LABEL]))
        ended = {"state": JobState.CANCELLED, "finished_at": 1.0, "claimable_at": None}
        with engine.begin() as connection:
            connection.execute(update(JobRow).values(ended))
        assert found(engine, JobState.CANCELLED) == [job.id]

    def test_what_was_there_before_is_filled_in(self, engine: Engine) -> None:
        enqueue(engine, labels={"team": "vision", "run": "1"}, tenant="vision")
        claim(engine)
        with engine.begin() as connection:
            command.downgrade(schema.alembic_config(connection), "2026_11_24_starts")
        left = {one["name"] for one in inspect(engine).get_columns("labels")}
        assert left == {"job_id", "digest", "created_at"}
        session.migrate(engine)
        assert copies(engine) == [("vision", "running")] * 2
