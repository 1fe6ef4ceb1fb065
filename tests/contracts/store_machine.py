"""The queue against a model of it: whatever is done in whatever order, both tell the same."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import multiple
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine
from sqlalchemy import delete
from sqlalchemy import select

from service.store import jobs
from service.store import leases
from service.store import priorities
from service.store import trials
from service.store.errors import JobAlreadyFinal
from service.store.errors import LeaseLost
from service.store.models import JobRow
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.lapsing import lapse
from tests.contracts.samples import ERROR
from tests.contracts.samples import LONG
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial
from tests.contracts.store_model import CANCELLED
from tests.contracts.store_model import FAILED
from tests.contracts.store_model import SUCCEEDED
from tests.contracts.store_model import Known
from tests.contracts.store_model import Model

STEPS = 40


class QueueMachine(RuleBasedStateMachine):
    """Does to the database what it does to the model; a subclass says to which database."""

    engine: Engine

    queued = Bundle("queued")
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    def teardown(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(JobRow))

    @rule(target=queued, priority=st.integers(-1, 1))
    def enqueue(self, priority: int) -> str:
        job = enqueue(self.engine, priority=priority)
        self.model.jobs[job.id] = Known(priority=priority, age=len(self.model.jobs))
        return job.id

    @rule(target=held)
    def claim(self) -> object:
        claimed = leases.claim(self.engine, lease_seconds=LONG)
        expected = self.model.claim()
        assert (claimed and claimed[0].job_id) == expected
        return multiple() if claimed is None else claimed[0]

    @rule()
    def end_lapsed(self) -> None:
        assert leases.end_lapsed(self.engine) == self.model.end_lapsed()

    @rule(lease=held)
    def renew(self, lease: Lease) -> None:
        renew = partial(leases.renew, self.engine, lease, lease_seconds=LONG)
        self.fenced(lease, renew, then=lambda job: job.cancel)

    @rule(lease=held)
    def record(self, lease: Lease) -> None:
        number = self.model.jobs[lease.job_id].trials
        record = partial(trials.record, self.engine, lease, trial(number), seconds=1.0)
        self.fenced(lease, partial(record, lease_seconds=LONG), then=Known.record)

    @rule(lease=held)
    def release(self, lease: Lease) -> None:
        self.fenced(lease, partial(leases.release, self.engine, lease), then=Known.requeue)

    @rule(lease=held, delay=st.sampled_from([0.0, LONG]))
    def retry(self, lease: Lease, delay: float) -> None:
        retry = partial(leases.retry, self.engine, lease, error=ERROR, delay_seconds=delay)
        self.fenced(lease, retry, then=lambda job: job.retry(due=delay == 0))

    @rule(lease=held, delay=st.sampled_from([0.0, LONG]))
    def postpone(self, lease: Lease, delay: float) -> None:
        postpone = partial(leases.postpone, self.engine, lease, error=ERROR, delay_seconds=delay)
        self.fenced(lease, postpone, then=lambda job: job.requeue(due=delay == 0))

    @rule(lease=held, state=st.sampled_from([SUCCEEDED, FAILED, CANCELLED]))
    def finish(self, lease: Lease, state: JobState) -> None:
        finish = {
            SUCCEEDED: partial(leases.succeed, self.engine, lease, {"format": 1}),
            FAILED: partial(leases.fail, self.engine, lease, ERROR),
            CANCELLED: partial(leases.cancel, self.engine, lease),
        }[state]
        self.fenced(lease, finish, then=lambda job: job.end(state))

    @rule(job_id=queued)
    def cancel(self, job_id: str) -> None:
        cancel = partial(jobs.request_cancel, self.engine, job_id)
        self.unless_final(job_id, cancel, then=Known.request_cancel)

    @rule(job_id=queued, priority=st.integers(-2, 2))
    def prioritize(self, job_id: str, priority: int) -> None:
        change = partial(priorities.change, self.engine, job_id, priority)
        self.unless_final(job_id, change, then=lambda job: setattr(job, "priority", priority))

    @rule(job_id=queued)
    def expire(self, job_id: str) -> None:
        """Let a lease lapse, or a delay end: the store's clock is the database's."""
        job = self.model.jobs[job_id]
        if not job.state.final:
            lapse(self.engine, job_id)
            job.due = True

    @invariant()
    def both_tell_the_same(self) -> None:
        columns = select(
            JobRow.id,
            JobRow.priority,
            JobRow.state,
            JobRow.attempt,
            JobRow.failures,
            JobRow.trials,
            JobRow.cancel_requested,
        )
        with self.engine.connect() as connection:
            found = {row[0]: tuple(row[1:]) for row in connection.execute(columns)}
        assert found == {job_id: job.told() for job_id, job in self.model.jobs.items()}

    def fenced(
        self, lease: Lease, act: Callable[[], object], *, then: Callable[[Known], object]
    ) -> None:
        """Do it under the lease, which must be refused unless the lease holds."""
        if self.model.holds(lease):
            told = act()
            assert told == then(self.model.jobs[lease.job_id])
        else:
            with pytest.raises(LeaseLost):
                act()

    def unless_final(
        self, job_id: str, act: Callable[[], object], *, then: Callable[[Known], object]
    ) -> None:
        """Do it to the job, which must be refused once it has ended."""
        job = self.model.jobs[job_id]
        if job.state.final:
            with pytest.raises(JobAlreadyFinal):
                act()
        else:
            act()
            then(job)


def run(engine: Engine, *, examples: int) -> None:
    """Compare the two over so many sequences of up to forty acts."""

    class Machine(QueueMachine):
        pass

    Machine.engine = engine
    asked = settings(max_examples=examples, stateful_step_count=STEPS, deadline=None)
    run_state_machine_as_test(Machine, settings=asked)
