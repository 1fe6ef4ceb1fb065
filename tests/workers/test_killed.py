"""A worker killed in the middle of a search loses nothing: another goes on from the last trial."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from service.store import catalog
from service.store import jobs
from service.store import trials
from service.store.values import Job
from service.store.values import JobState
from tests.conftest import opened
from tests.contracts.lapsing import lapse
from tests.workers.conftest import Submit

PATIENCE = 120.0  # seconds
BUDGET = 24  # trials
TRIES = 5


@contextmanager
def worker_process(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker of its own and end it in any case."""
    command = [sys.executable, "-m", "workers", "--database-url", url]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(engine: Engine, job_id: str, *, trials_done: int) -> Job:
    deadline = time.monotonic() + PATIENCE
    while True:
        job = jobs.get(engine, job_id)
        if job.state.final or job.progress.trials >= trials_done:
            return job
        assert time.monotonic() < deadline, f"waited in vain: {job}"
        time.sleep(0.02)


def killed_midway(url: str, queue: Callable[[], Job], *, trials_done: int, budget: int) -> str:
    """Queue a job, kill its worker after so many of its trials, and have its lease lapse.

    Return its id. A job that had done all its trials by then is left, and another one queued.
    """
    with opened(url) as engine:
        for _ in range(TRIES):
            job_id = queue().id
            with worker_process(url) as process:
                wait_until(engine, job_id, trials_done=trials_done)
                process.send_signal(signal.SIGKILL)
                process.wait()
            job = jobs.get(engine, job_id)
            if job.state is JobState.RUNNING and job.progress.trials < budget:
                lapse(engine, job_id)
                return job_id
    pytest.fail("no worker could be killed in the middle of its job")


def test_killed_mid_search_another_finishes_the_job_with_the_same_result(
    engine: Engine, database_url: str, submit: Submit
) -> None:
    undisturbed = submit(budget=BUDGET).id
    killed = killed_midway(
        database_url, lambda: submit(budget=BUDGET), trials_done=8, budget=BUDGET
    )
    recorded = trials.history(engine, killed)
    assert 8 <= len(recorded) < BUDGET

    with worker_process(database_url):
        job = wait_until(engine, killed, trials_done=BUDGET + 1)
    assert job.state is JobState.SUCCEEDED
    assert job.attempt == 2
    history = trials.history(engine, killed)
    assert history[: len(recorded)] == recorded
    assert [trial.number for trial in history] == list(range(BUDGET))
    assert len({trial.allocation for trial in history}) == BUDGET
    assert history == trials.history(engine, undisturbed)
    assert job.result == jobs.get(engine, undisturbed).result


def test_sigterm_ends_a_worker_cleanly_and_at_once_hands_back_its_job(
    engine: Engine, database_url: str, submit: Submit
) -> None:
    job_id = submit(budget=5000, quantizers=("affine", "codebook")).id
    with worker_process(database_url) as process:
        wait_until(engine, job_id, trials_done=3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == os.EX_OK
    job = jobs.get(engine, job_id)
    assert (job.state, job.failures) == (JobState.QUEUED, 0)


def test_a_worker_announces_what_it_offers_before_it_works(
    engine: Engine, database_url: str
) -> None:
    subprocess.run(
        [sys.executable, "-m", "workers", "--once", "--database-url", database_url],
        check=True,
        timeout=PATIENCE,
    )
    assert "digits-vgg" in {offer.name for offer in catalog.offers(engine, "model")}


def test_a_database_that_cannot_be_reached_is_one_line_and_status_1() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "workers",
            "--database-url",
            "postgresql://me:secret@127.0.0.1:1/db",
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: cannot reach the database at postgresql")
    assert ended.stderr.count("\n") == 1
    assert "secret" not in ended.stderr
