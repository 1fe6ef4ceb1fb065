"""A worker searches data that people bring, and says what is wrong with data that cannot be."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from search.preprocessing import Preprocessing
from search.splits import Splits
from service.store import jobs
from service.store.values import Job
from service.store.values import JobState
from workers.worker import Worker
from workers.zoo import digits

Submit = Callable[..., Job]


@pytest.fixture
def root(worker: Worker) -> Path:
    """Return the data root, with the unseen digits as bytes, 16 being white."""
    folder = worker.settings.data_root
    folder.mkdir()
    _, *parts = digits.parts()
    images = np.concatenate([part.images.numpy() for part in parts])
    labels = np.concatenate([part.labels.numpy() for part in parts])
    pixels = np.rint(images * 16).astype(np.uint8)
    np.savez(folder / "own.npz", images=pixels, labels=labels)
    return folder


#: bytes up to 16 as the network takes them
SIXTEENTHS = Preprocessing(mean=(0.0,), std=(16 / 255,))


class TestOwnData:
    @pytest.mark.usefixtures("root")
    @pytest.mark.parametrize("metric", ["top1", "top5"])
    def test_a_search_uses_the_splits_and_the_metric_asked_for(
        self, worker: Worker, submit: Submit, *, engine: Engine, metric: str
    ) -> None:
        asked = Splits(calibration=50, search=300, certification=230)
        job_id = submit(
            dataset="arrays/own",
            splits=asked,
            preprocessing=SIXTEENTHS,
            metric=metric,
            tolerance=0.06,
        ).id
        worker.work_once()
        job = jobs.get(engine, job_id)
        assert job.state is JobState.SUCCEEDED, job.error
        assert job.result is not None
        assert job.setup is not None
        assert job.result["metric"] == metric
        # a trial may be decided by fewer images, the float model and a certificate see all
        assert (job.setup.baseline.images, job.result["certification"]["images"]) == (300, 230)
        assert job.result["search"]["float_accuracy"] >= 0.97

    @pytest.mark.parametrize(
        "changes, told",
        [
            ({"splits": Splits(search=5000)}, ("invalid-spec", "1000 images are too few")),
            ({"preprocessing": Preprocessing(crop=20)}, ("unusable-data", "image 0: 8×8")),
            ({"dataset": "arrays/none"}, ("file-not-there", "BITFLOOR_DATA_ROOT")),
            ({"dataset": "arrays/../own"}, ("file-not-allowed", "relative")),
            ({"dataset": "folder/broken"}, ("unusable-data", "0/bad.jpg: it is damaged")),
        ],
    )
    def test_what_cannot_be_used_fails_once_with_the_cause(
        self,
        worker: Worker,
        submit: Submit,
        *,
        engine: Engine,
        root: Path,
        changes: dict[str, object],
        told: tuple[str, str],
    ) -> None:
        (root / "broken/0").mkdir(parents=True)
        # how every JPEG begins, and nothing else
        (root / "broken/0/bad.jpg").write_bytes(bytes.fromhex("ffd8ffe000104a46494600"))
        failing, next_one = submit(**{"dataset": "arrays/own"} | changes).id, submit(budget=1).id
        while worker.work_once():
            pass
        job = jobs.get(engine, failing)
        assert (job.state, job.attempt) == (JobState.FAILED, 1)
        assert job.error is not None
        code, words = told
        assert job.error.code == code
        assert words in job.error.message
        # and the worker lives
        assert jobs.get(engine, next_one).state in (JobState.SUCCEEDED, JobState.INFEASIBLE)
