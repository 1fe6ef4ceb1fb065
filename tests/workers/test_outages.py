"""An attempt outlasts a database that goes away, and knows its own trial when that is back."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from sqlalchemy import Engine

from search.trial import Hits
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import DatabaseUnreachable
from service.store.errors import LeaseLost
from service.store.errors import StoreError
from service.store.errors import TrialAlreadyRecorded
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial
from workers.attempt import Attempt
from workers.errors import Stopping
from workers.once import recorded
from workers.outages import LONGEST_PAUSE
from workers.outages import outlast
from workers.settings import WorkerSettings
from workers.telemetry import Telemetry

AWAY = DatabaseUnreachable("postgresql://host/name", "it restarts")
FULL = DatabaseFull("sqlite:///bitfloor.db", "database or disk is full")
BUSY = DatabaseBusy("postgresql://host/name", "a lock")


class TestOutlast:
    def test_it_tries_until_there_is_an_answer_in_growing_pauses(self) -> None:
        left: list[StoreError] = [AWAY, BUSY, FULL] * 5
        pauses: list[float] = []

        def do() -> str:
            if left:
                raise left.pop()
            return "done"

        assert outlast(do, check=lambda: None, wait=pauses.append) == "done"
        assert len(pauses) == 15
        assert pauses == sorted(pauses)
        assert pauses[0] < pauses[1]
        assert pauses[-1] == LONGEST_PAUSE

    def test_whoever_is_asked_to_stop_waits_no_longer(self) -> None:
        tries = []

        def do() -> None:
            tries.append(1)
            raise AWAY

        def check() -> None:
            if len(tries) == 3:
                raise Stopping

        with pytest.raises(Stopping):
            outlast(do, check=check, wait=lambda _: None)

    def test_a_lost_lease_is_an_answer(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine, lease_seconds=0.0)
        with pytest.raises(LeaseLost):
            outlast(
                lambda: recorded(engine, lease, trial(), seconds=0.1, lease_seconds=LONG),
                check=lambda: None,
            )


class TestRecorded:
    def test_a_trial_whose_answer_got_lost_is_recorded_once(self, engine: Engine) -> None:
        job_id = enqueue(engine).id
        lease = claim(engine)
        for _ in range(2):
            assert not recorded(engine, lease, trial(), seconds=0.1, lease_seconds=LONG)
        assert trials.history(engine, job_id) == (trial(),)

    def test_another_trial_of_its_number_is_refused(self, engine: Engine) -> None:
        job_id = enqueue(engine).id
        lease = claim(engine)
        recorded(engine, lease, trial(), seconds=0.1, lease_seconds=LONG)
        other = trial(hits=Hits(images=10, correct=8, lost=2))
        with pytest.raises(TrialAlreadyRecorded):
            recorded(engine, lease, other, seconds=0.1, lease_seconds=LONG)
        assert trials.history(engine, job_id) == (trial(),)


def attempt(engine: Engine, lease: Lease) -> Attempt:
    return Attempt(
        engine=engine,
        lease=lease,
        submission=jobs.get(engine, lease.job_id).submission,
        settings=WorkerSettings(),
        device=torch.device("cpu"),
        limit=lambda _what, _seconds: nullcontext(),
        check=lambda: None,
        telemetry=Telemetry(),
        open_shards=nullcontext,
    )


class TestEnd:
    def test_a_job_whose_answer_got_lost_has_ended_and_no_lease_is_lost(
        self, engine: Engine
    ) -> None:
        job_id = enqueue(engine).id
        lost: list[StoreError] = [AWAY]

        def succeed(engine: Engine, lease: Lease, result: dict[str, Any]) -> None:
            leases.succeed(engine, lease, result)
            if lost:
                raise lost.pop()

        attempt(engine, claim(engine)).end(succeed, {"saved": 0.9})
        job = jobs.get(engine, job_id)
        assert (job.state, job.result) == (JobState.SUCCEEDED, {"saved": 0.9})

    def test_one_that_somebody_else_has_ended_is_lost(self, engine: Engine) -> None:
        job_id = enqueue(engine).id
        late = attempt(engine, claim(engine, lease_seconds=LAPSED))
        attempt(engine, claim(engine)).end(leases.succeed, {"saved": 0.9})
        with pytest.raises(LeaseLost):
            late.end(leases.succeed, {"saved": 0.8})
        assert jobs.get(engine, job_id).result == {"saved": 0.9}
