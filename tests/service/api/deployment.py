"""A deployment to test against: databases filled as workers fill them, served over real HTTP."""

from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.cost import memory_bits
from search.spec import DEFAULT_QUANTIZERS
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.api.connections import Limits
from service.api.submission import DEFAULT_SAMPLER
from service.store import catalog
from service.store import codec
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.values import Job
from service.store.values import Lease
from service.store.values import Offer
from service.store.values import Setup
from service.store.values import Submission
from tests.service.api import hosts

OFFERS = (
    Offer(kind="model", name="tiny", details={"parameters": 1200}),
    Offer(kind="dataset", name="digits", details={"images": 1000}),
    *(Offer(kind="quantizer", name=name, details={}) for name in DEFAULT_QUANTIZERS),
    Offer(kind="sampler", name=DEFAULT_SAMPLER, details={}),
    Offer(kind="sampler", name="random", details={}),
)
BODY: dict[str, Any] = {"model": "tiny", "dataset": "digits", "tolerance": 0.02}
POINTS = (
    QuantizationPoint("features.0", 4096),
    QuantizationPoint("features.3", 2048),
    QuantizationPoint("classifier", 512),
)
BASELINE = Baseline(images=1000, correct=900, tolerance=0.02)
LEASE = 3600.0  # seconds


def announce(engine: Engine) -> None:
    """Offer one model, one dataset, the default quantizers and two samplers."""
    catalog.announce(engine, OFFERS)


def enqueue(engine: Engine, *, seed: int = 0, goal: str = "floor", **said: Any) -> Job:
    """Queue a job for the tiny model; jobs differ by their seed."""
    spec = JobSpec(model="tiny", dataset="digits", tolerance=0.02, budget=60, seed=seed, goal=goal)
    return jobs.enqueue(engine, Submission(spec=spec, **said))[0]


def start(engine: Engine) -> Lease:
    """Claim the next job and store its setup."""
    claimed = leases.claim(engine, lease_seconds=LEASE)
    assert claimed is not None
    lease, _ = claimed
    leases.begin(engine, lease, Setup(baseline=BASELINE, points=POINTS, histograms={}))
    leases.enter(engine, lease, "searching")
    return lease


def running(engine: Engine, *, goal: str = "floor") -> Lease:
    """Queue a job and start it."""
    enqueue(engine, goal=goal)
    return start(engine)


def trial(
    number: int,
    *,
    correct: int,
    bits: Sequence[int] = (4, 4, 4),
    images: int = 1000,
    held: bool = False,
) -> TrialResult:
    """Return a trial; on fewer than all images it missed unless it is said that it held."""
    allocation = BitAllocation(
        tuple(
            (point.name, QuantizerConfig("affine", width))
            for point, width in zip(POINTS, bits, strict=True)
        )
    )
    complete = images == BASELINE.images
    right = BASELINE.correct * images // BASELINE.images
    hits = Hits(
        images=images,
        correct=correct,
        lost=max(0, right - correct),
        gained=max(0, correct - right),
    )
    return TrialResult(
        number=number,
        allocation=allocation,
        origin="tpe",
        memory_bits=memory_bits(POINTS, allocation),
        hits=hits,
        complete=complete,
        constraint=BASELINE.floor - hits.accuracy if complete or held else 0.1,
        verdict=Verdict.HELD if held or BASELINE.needed <= correct else Verdict.MISSED,
    )


def record(engine: Engine, lease: Lease, *results: TrialResult) -> None:
    """Record trials under the lease."""
    for result in results:
        trials.record(engine, lease, result, seconds=0.5, lease_seconds=LEASE)


#: Memory falls from the first to the last; the floor is 880 correct of 1,000.
MIXED = (
    trial(0, correct=899, bits=(8, 8, 8)),
    trial(1, correct=890, bits=(6, 6, 6)),
    # beats every feasible trial in memory, misses the floor by one image
    trial(2, correct=879, bits=(2, 2, 2)),
    # stopped early while it looked perfect
    trial(3, correct=64, bits=(1, 1, 1), images=64),
    # dominated
    trial(4, correct=885, bits=(7, 7, 7)),
    trial(5, correct=881, bits=(4, 4, 5)),
)
#: held after a fifth of the images, in fewer bits than all of MIXED that held
EARLY = trial(6, correct=178, bits=(3, 3, 3), images=200, held=True)
#: numbers of the feasible trials in MIXED that no other dominates
MIXED_FRONT = [0, 1, 5]
#: and those of all that were seen to the end, what they dominate: memory to the next trial (to the
#: float network's 32 bits after the last) x accuracy above 45 % of 90 %
WIDER_FRONT = [0, 1, 2, 5]
_BITS = [2, (4 * 6144 + 5 * 512) / 6656, 6, 8, 32]
WIDER_SHARE = sum(
    (after - before) / 32 * (accuracy - 0.45) / 0.45
    for before, after, accuracy in zip(_BITS, _BITS[1:], [0.879, 0.881, 0.89, 0.899], strict=False)
)

BEST_DOCUMENT: dict[str, Any] = {
    "format": 1,
    "model": "tiny",
    "dataset": "digits",
    "tolerance": 0.02,
    "metric": "top1",
    "trial": 5,
    "origin": "tpe",
    "memory_bytes": 3392,
    "float_memory_bytes": 26624,
    "saved": 0.87,
    "average_bits": 4.1,
    "search": {
        "images": 1000,
        "float_accuracy": 0.9,
        "floor": 0.88,
        "accuracy": 0.881,
        "drop": 0.019,
        "correct": 881,
        "lost": 19,
        "gained": 0,
    },
    "certification": {
        "images": 2000,
        "float_accuracy": 0.9,
        "floor": 0.88,
        "accuracy": 0.89,
        "drop": 0.01,
        "correct": 1780,
        "lost": 30,
        "gained": 10,
        "gap": -0.009,
        "judgement": "certified",
        "p_value": 0.0123,
        "drop_upper_bound": 0.018,
        "confidence": 0.95,
        "others": [],
    },
    "uniform": None,
    "images_evaluated": 7064,
    "points": [
        {
            "name": point.name,
            "kind": "activation",
            "elements": point.elements,
            "quantizer": "affine",
            "bit_width": 4,
            "bytes_before": point.elements * 4,
            "bytes_after": point.elements // 2,
            "parameters": {"scale": 0.1, "zero_point": 0, "quant_min": 0, "quant_max": 15},
        }
        for point in POINTS
    ],
    "spec": codec.spec_document(JobSpec(model="tiny", dataset="digits", tolerance=0.02, budget=60)),
}
INFEASIBLE_DOCUMENT: dict[str, Any] = {
    "format": 1,
    "closest": {"trial": 2, "saved": 0.94, "accuracy": 0.879},
    "floor": 0.88,
    "float_accuracy": 0.9,
    "shortfall": 0.001,
    "blame": [{"point": "features.0", "recovered": 0.002}],
    "reason": "the closest allocation missed the floor by one image",
}


@contextmanager
def served(app: FastAPI, limits: Limits | None = None) -> Iterator[str]:
    """Serve the application on a free port of this machine; yield its address."""
    with hosts.lent(app) if limits is None else hosts.own(app, limits) as host:
        yield host.address


@contextmanager
def client_of(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve the application and connect to it."""
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def problem_of(answer: httpx.Response, *, status: int, code: str) -> dict[str, Any]:
    """Return the answer's problem document, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:bitfloor:problem:{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document
