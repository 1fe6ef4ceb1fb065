"""A job over a model that its operator brought ends as one over the embedded model does."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from sqlalchemy import Engine

from service.store import jobs
from service.store.values import Job
from service.store.values import JobState
from workers.models.embedded import EmbeddedModels
from workers.settings import WorkerSettings
from workers.worker import Worker

Submit = Callable[..., Job]


@pytest.fixture
def worker(engine: Engine, tmp_path: Path) -> Worker:
    """Return a worker whose model root is this test's own folder."""
    settings = WorkerSettings(
        heartbeat_seconds=0.05,
        model_root=tmp_path,
        data_root=tmp_path / "datasets",
        cache_dir=tmp_path / "cache",
    )
    return Worker(engine, settings, torch.device("cpu"), threading.Event())


def test_a_program_is_searched_as_the_network_it_was_exported_from(
    worker: Worker, submit: Submit, *, engine: Engine, tmp_path: Path
) -> None:
    network = EmbeddedModels().load("digits-vgg", None).network
    assert isinstance(network, torch.nn.Module)
    batch = ({0: torch.export.Dim("batch", min=1)},)
    program = torch.export.export(network, (torch.rand(2, 1, 8, 8),), dynamic_shapes=batch)
    torch.export.save(program, tmp_path / "mine.pt2")
    own, embedded = submit(model="program/mine", budget=6), submit(budget=6)
    while worker.work_once():
        pass
    mine, theirs = (jobs.get(engine, job.id) for job in (own, embedded))
    assert (mine.state, mine.error) == (JobState.SUCCEEDED, None)
    assert mine.result is not None
    assert theirs.result is not None
    assert (mine.result["model"], mine.result["weights"]) == ("program/mine", None)
    assert mine.result["saved"] == theirs.result["saved"]
    assert mine.result["certification"] == theirs.result["certification"]


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"model": "torchvision/resnet18"}, "weights-needed"),
        ({"model": "torchvision/resnet18", "weights": "../x.pth"}, "file-not-allowed"),
        ({"model": "torchvision/resnet18", "weights": "/etc/passwd.pt"}, "file-not-allowed"),
        ({"model": "torchvision/resnet18", "weights": "gone.pth"}, "file-not-there"),
        ({"model": "torchvision/resnet18", "weights": "garbage.pth"}, "corrupt-weights"),
        ({"model": "torchvision/resnet18", "weights": "IMAGENET22K"}, "unknown-weights"),
        ({"model": "program/garbage"}, "corrupt-weights"),
        ({"model": "program/../../x"}, "file-not-allowed"),
        ({"weights": "garbage.pth"}, "weights-not-taken"),
    ],
)
def test_what_cannot_be_loaded_fails_once_with_its_code(
    worker: Worker,
    submit: Submit,
    *,
    engine: Engine,
    tmp_path: Path,
    changes: dict[str, str],
    code: str,
) -> None:
    for name in ("garbage.pth", "garbage.pt2"):
        (tmp_path / name).write_bytes(b"garbage" * 50)
    job_id = submit(**changes).id
    assert worker.work_once()
    job = jobs.get(engine, job_id)
    assert job.error is not None
    assert (job.state, job.attempt, job.error.code) == (JobState.FAILED, 1, code)
