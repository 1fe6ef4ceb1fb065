"""Queues filled by the database: equal jobs of different ages, each to be claimed once."""

import pytest
from sqlalchemy import Engine

from benchmarks.chaos import queue
from service.store import jobs
from service.store import leases
from service.store.values import JobState


class TestFill:
    @pytest.mark.parametrize("length", [1, 2, 40])
    def test_every_job_can_be_claimed_once_oldest_first(self, engine: Engine, length: int) -> None:
        queue.fill(engine, length)
        listed = [job.id for job in jobs.page(engine, limit=100).items]
        claimed = []
        while (taken := leases.claim(engine, lease_seconds=60.0)) is not None:
            claimed.append(taken[1].id)
        assert len({*claimed}) == length
        assert claimed == listed[::-1]

    def test_copies_ask_for_what_the_first_one_asks_for(self, engine: Engine) -> None:
        queue.fill(engine, 3)
        assert len({job.submission.spec for job in jobs.page(engine).items}) == 1

    def test_filling_again_adds_to_what_is_there(self, engine: Engine) -> None:
        queue.fill(engine, 3)
        queue.fill(engine, 4)
        assert jobs.counts_by_state(engine)[JobState.QUEUED] == 7
