"""A worker over a real database, and jobs small enough for a test."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sqlalchemy import Engine

from search.spec import JobSpec
from service.store import jobs
from service.store.values import Job
from service.store.values import Submission
from workers.settings import WorkerSettings
from workers.worker import Worker

Submit = Callable[..., Job]


@pytest.fixture
def worker(engine: Engine, tmp_path: Path) -> Worker:
    """Return a worker that looks for cancellations often, with an empty data root of its own."""
    settings = WorkerSettings(
        heartbeat_seconds=0.05,
        poll_seconds=0.05,
        data_root=tmp_path / "datasets",
        cache_dir=tmp_path / "cache",
    )
    return Worker(engine, settings, torch.device("cpu"), threading.Event())


@pytest.fixture
def submit(engine: Engine) -> Submit:
    """Return a function that queues a search on the embedded network."""

    def enqueue(*, fresh: bool = True, from_job: str | None = None, **changes: object) -> Job:
        fields: dict[str, object] = {
            "model": "digits-vgg",
            "dataset": "digits",
            "tolerance": 0.02,
            "quantizers": ("affine",),
            "budget": 12,
        }
        spec = JobSpec(**(fields | changes))  # type: ignore[arg-type]  # wrong names are tested
        submission = Submission(spec=spec, fresh=fresh, from_job=from_job)
        return jobs.enqueue(engine, submission)[0]

    return enqueue
