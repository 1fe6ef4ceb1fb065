"""submit --from-job, and how what was taken over is told, against a real API."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store.values import Job
from service.store.values import Lease
from tests.service.api import test_from_job as api
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.api.deployment import LEASE
from tests.service.cli.conftest import Bitfloor


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """Return the path of a valid request."""
    path = tmp_path / "spec.yaml"
    path.write_text("model: tiny\ndataset: digits\ntolerance: 0.02\n")
    return str(path)


@pytest.fixture
def earlier(store: Engine) -> Job:
    """Return a job that has ended."""
    return api.ended(store)


class TestSubmit:
    def test_the_option_and_the_field_mean_the_same(
        self, bitfloor: Bitfloor, store: Engine, spec: str, earlier: Job
    ) -> None:
        for asked in (("--from-job", earlier.id), ("--set", f"from_job={earlier.id}")):
            job_id = bitfloor("submit", spec, *asked).out.strip()
            assert jobs.get(store, job_id).submission.from_job == earlier.id

    def test_a_job_that_cannot_be_started_from_is_status_2_and_names_the_field(
        self, bitfloor: Bitfloor, spec: str, earlier: Job
    ) -> None:
        ended = bitfloor("submit", spec, "--from-job", earlier.id, "--set", "seed=4")
        assert ended.status == 2
        assert "from_job" in ended.err
        assert "its seed is 0 and not 4" in " ".join(ended.err.split())


class TestShown:
    def test_show_tells_the_job_and_what_was_taken_over(
        self, bitfloor: Bitfloor, store: Engine
    ) -> None:
        job = api.started(store)
        shown = " ".join(bitfloor("show", job.id).out.split())
        assert f"from job {job.submission.from_job} taken over 6 trials, 24 sensitivities" in shown
        assert "trials 0 of 60" in shown
        told = json.loads(bitfloor("show", job.id, "--format", "json").out)
        assert told["taken"] == {"trials": 6, "sensitivities": 24}

    def test_before_it_has_begun_it_says_so(
        self, bitfloor: Bitfloor, spec: str, earlier: Job
    ) -> None:
        job_id = bitfloor("submit", spec, "--from-job", earlier.id).out.strip()
        assert "nothing so far" in bitfloor("show", job_id).out

    def test_watch_and_best_say_it(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = api.started(store)
        leases.release(store, held(job))
        claimed = leases.claim(store, lease_seconds=LEASE)
        assert claimed is not None
        start = {"from_job": job.submission.from_job, "taken": {"trials": 6, "sensitivities": 24}}
        leases.succeed(store, claimed[0], {**BEST_DOCUMENT, **start})
        assert "6 earlier trials taken over" in bitfloor("watch", job.id).err
        told = " ".join(bitfloor("best", job.id).out.split())
        assert f"started from job {job.submission.from_job}: 6 of its trials" in told


def held(job: Job) -> Lease:
    """Return the lease under which the job runs."""
    return Lease(job.id, job.attempt)
