"""The whole way: POST, worker, front, on both databases, equals the pure search it stands for."""

import threading

import httpx
import pytest
import torch
from sqlalchemy import Engine

from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.pareto import pareto_front
from search.spec import JobSpec
from search.trial import TrialResult
from service.api.app import create_app
from service.store import catalog
from tests.service.api import deployment
from workers import resolution
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.offers import offers
from workers.settings import WorkerSettings
from workers.worker import Worker

BODY = {
    "model": "digits-vgg",
    "dataset": "digits",
    "tolerance": 0.02,
    "quantizers": ["affine", "codebook"],
    "bit_widths": [2, 3, 4, 8],
    "budget": 25,
    "seed": 4,
}


@pytest.fixture(scope="module")
def pure() -> list[TrialResult]:
    """Return the trials of the same search without service, store or worker."""
    job = JobSpec(
        **(BODY | {"quantizers": ("affine", "codebook"), "bit_widths": (2, 3, 4, 8)})  # type: ignore[arg-type]  # as the API reads it
    )
    settings = WorkerSettings()
    bench = workbench.prepare(
        job,
        models=open_models(settings.model_root),
        around=surroundings(settings),
        device=torch.device("cpu"),
        batch=settings.batch,
    )
    evaluator = bench.evaluator(bench.dataset.search)
    search = resolution.resolve(job, bench, evaluator=evaluator)
    return list(study.run(search, evaluator))


def allocation(trial: dict[str, dict[str, dict[str, int]]]) -> BitAllocation:
    return BitAllocation(
        tuple(
            (point, QuantizerConfig(str(option["quantizer"]), option["bit_width"]))
            for point, option in trial["allocation"].items()
        )
    )


def test_what_rest_serves_is_what_the_pure_search_found(
    engine: Engine, pure: list[TrialResult]
) -> None:
    catalog.announce(
        engine, offers(open_models(WorkerSettings().model_root), surroundings(WorkerSettings()))
    )
    with deployment.client_of(create_app(engine)) as client:
        posted = client.post("/v1/jobs", json=BODY)
        assert posted.status_code == httpx.codes.ACCEPTED
        job = posted.headers["Location"]
        Worker(engine, WorkerSettings(), torch.device("cpu"), threading.Event()).work_once()

        assert client.get(job).json()["state"] == "succeeded"
        served = client.get(f"{job}/trials", params={"limit": 500}).json()["items"]
        assert [allocation(trial) for trial in served] == [trial.allocation for trial in pure]
        assert [trial["correct"] for trial in served] == [trial.hits.correct for trial in pure]

        front = client.get(f"{job}/front").json()["front"]
        expected = pareto_front(pure)
        assert [(t["number"], allocation(t)) for t in front] == [
            (t.number, t.allocation) for t in expected
        ]
        best = client.get(f"{job}/best").json()
        chosen = pure[best["trial"]]
        assert chosen.feasible
        assert best["memory_bytes"] * 8 == chosen.memory_bits
        assert [p["bit_width"] for p in best["points"]] == [
            option.bit_width for _, option in chosen.allocation.items()
        ]
