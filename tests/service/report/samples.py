"""Jobs in every state, with trials that look like those of a search."""

import random
from collections.abc import Mapping
from typing import Any

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.cost import float_memory_bits
from search.cost import memory_bits
from search.cost import saved
from search.pareto import pareto_front
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store.values import Document
from service.store.values import Job
from service.store.values import JobError
from service.store.values import JobState
from service.store.values import Progress
from service.store.values import Setup
from service.store.values import StoredTrial
from service.store.values import Submission

ELEMENTS = (65536, 65536, 32768, 32768, 16384, 8192, 512, 10)
POINTS = tuple(QuantizationPoint(f"features.{3 * i}", n) for i, n in enumerate(ELEMENTS))
BASELINE = Baseline(images=1000, correct=954, tolerance=0.02)
#: each layer that has one, its weight and what it stores
WEIGHTS = tuple(
    QuantizationPoint(f"features.{3 * i}.weight", n, Kind.WEIGHT)
    for i, n in enumerate((432, 9216, 18432, 36864))
)
QUANTIZERS = ("affine", "codebook_bounded")
FIRST = 8  # trials before the sampler's own
ORIGINS = ("frontier", "lin", "correction")


def histograms(points: tuple[QuantizationPoint, ...] = POINTS) -> Document:
    """Return falling counts with the zeros of a ReLU in the first bin."""
    counts = [40_000, *(max(0, 3000 - 50 * i) for i in range(63))]
    bell = [round(3000 / (1 + (i - 31.5) ** 2 / 60)) for i in range(64)]
    return {
        point.name: {"low": 0.0, "high": 4.0, "counts": counts}
        if point.kind is Kind.ACTIVATION
        else {"low": -1.0, "high": 1.0, "counts": bell}
        for point in points
    }


def setup(points: tuple[QuantizationPoint, ...] = POINTS) -> Setup:
    """Return what a worker finds out before its first trial."""
    return Setup(baseline=BASELINE, points=points, histograms=histograms(points))


def trial(number: int, *, points: tuple[QuantizationPoint, ...] = POINTS) -> TrialResult:
    """Return a trial drawn from its number; fewer bits cost accuracy."""
    draw = random.Random(number)
    center = draw.choice([2, 3, 4, 5, 6, 8])
    configs = {
        point.name: QuantizerConfig(
            draw.choice(QUANTIZERS), max(1, min(8, center + draw.randint(-1, 1)))
        )
        for point in points
    }
    allocation = BitAllocation.of(configs)
    bits = memory_bits(points, allocation)
    lost = min(900, int(400 / center**2.4 + draw.randint(0, 10)))
    hits = _hits(lost, early=number % 5 == 0)
    held = lost <= 20
    return TrialResult(
        number=number,
        allocation=allocation,
        origin="uniform" if number < FIRST else draw.choice(ORIGINS),
        memory_bits=bits,
        hits=hits,
        complete=hits.images == BASELINE.images,
        constraint=(lost - 20) / 1000,
        verdict=Verdict.HELD if held else Verdict.MISSED,
    )


def _hits(lost: int, *, early: bool) -> Hits:
    """Return hits on all images, unless many are lost or the verdict came early."""
    if lost >= 60:
        return Hits(images=128, correct=122 - lost // 8, lost=lost // 8)
    if early and lost <= 15:
        return Hits(images=500, correct=480 - lost // 2, lost=lost // 2)
    return Hits(images=1000, correct=954 - lost, lost=lost)


def trials(
    count: int = 120, *, points: tuple[QuantizationPoint, ...] = POINTS
) -> tuple[StoredTrial, ...]:
    """Return the first trials of a search."""
    return tuple(
        StoredTrial(result=trial(number, points=points), seconds=0.1, finished_at=float(number))
        for number in range(count)
    )


def front(found: tuple[StoredTrial, ...]) -> tuple[StoredTrial, ...]:
    """Return their Pareto front."""
    kept = {result.number for result in pareto_front(stored.result for stored in found)}
    best = (stored for stored in found if stored.result.number in kept)
    return tuple(sorted(best, key=lambda stored: stored.result.memory_bits))


def job(
    state: JobState,
    *,
    found: tuple[StoredTrial, ...] = (),
    result: Document | None = None,
    **more: Any,
) -> Job:
    """Return a job in the state, with the trials so far."""
    feasible = front(found)
    spec = JobSpec(model="tiny-net", dataset="digits", tolerance=0.02)
    fields: Mapping[str, Any] = {
        "submission": Submission(spec=spec, labels={"team": "vision"}),
        "setup": None if state is JobState.QUEUED else setup(),
        "stage": "searching" if state is JobState.RUNNING else "",
        "error": None,
        **more,
    }
    return Job(
        id="0198c0de-0000-7000-8000-000000000001",
        state=state,
        priority=0,
        attempt=1,
        failures=0,
        cancel_requested=False,
        created_at=1.0,
        started_at=None if state is JobState.QUEUED else 2.0,
        finished_at=3.0 if state.final else None,
        progress=Progress(
            trials=len(found),
            images_evaluated=sum(stored.result.hits.images for stored in found),
            best=feasible[0].result if feasible else None,
        ),
        result=result,
        **fields,
    )


def _checked(trial: int, *, judgement: str, images_needed: int | None = None) -> Mapping[str, Any]:
    return {
        "trial": trial,
        "saved": 0.875,
        "images": 1000,
        "accuracy": 0.93,
        "drop": 0.024,
        "judgement": judgement,
        "p_value": 0.2,
        "images_needed": images_needed,
    }


CERTIFIED: Mapping[str, Any] = {
    "accuracy": 0.938,
    "drop": 0.016,
    "drop_upper_bound": 0.0175,
    "confidence": 0.95,
    "gap": 0.002,
    "holds": True,
    "judgement": "certified",
    "p_value": 0.0321,
    "others": (
        _checked(89, judgement="certified"),
        _checked(90, judgement="refuted"),
        _checked(91, judgement="undecided", images_needed=2400),
    ),
}


def best_document(
    chosen: TrialResult, *, points: tuple[QuantizationPoint, ...] = POINTS
) -> dict[str, Any]:
    """Return the best document of a trial, as a worker writes it."""
    split = {"images": 1000, "float_accuracy": 0.954, "floor": 0.934}
    return {
        "format": 1,
        "model": "tiny-net",
        "dataset": "digits",
        "tolerance": 0.02,
        "metric": "top1",
        "trial": chosen.number,
        "origin": chosen.origin,
        "memory_bytes": chosen.memory_bits / 8,
        "float_memory_bytes": float_memory_bits(points) / 8,
        "saved": saved(points, chosen.memory_bits),
        "average_bits": 3.5,
        "search": {**split, "accuracy": 0.94, "drop": 0.014},
        "certification": {**split, **CERTIFIED},
        "uniform": {
            "quantizer": "affine",
            "bit_width": 5,
            "memory_bytes": 138000,
            "saved": 0.84,
            "accuracy": 0.94,
        },
        "images_evaluated": 80_000,
        "points": [
            _point(point, config)
            for point, (_, config) in zip(points, chosen.allocation.items(), strict=True)
        ],
    }


def undecided_document(closest: TrialResult) -> dict[str, Any]:
    """Return the infeasible document of a trial that too few images could certify."""
    return {
        **infeasible_document(closest),
        "shortfall": -0.002,
        "reason": f"trial {closest.number} would take about 2,400 images",
        "checked": [_checked(closest.number, judgement="undecided", images_needed=2400)],
    }


def infeasible_document(closest: TrialResult) -> dict[str, Any]:
    """Return the infeasible document of a trial, as a worker writes it."""
    return {
        "format": 1,
        "closest": {
            "trial": closest.number,
            "allocation": {
                name: {"quantizer": config.quantizer, "bit_width": config.bit_width}
                for name, config in closest.allocation.items()
            },
            "memory_bytes": closest.memory_bits / 8,
            "saved": 0.9,
            "accuracy": 0.921,
        },
        "floor": 0.934,
        "float_accuracy": 0.954,
        "shortfall": 0.013,
        "images": 1000,
        "blame": [
            {"point": "features.6", "recovered": 0.011},
            {"point": "features.0", "recovered": 0.002},
            {"point": "features.3", "recovered": 0.0},
        ],
        "reason": "no allocation that was tried holds the floor on the search split",
    }


def succeeded(count: int = 120) -> tuple[Job, tuple[StoredTrial, ...], tuple[StoredTrial, ...]]:
    """Return what a page about a certified job is made of."""
    found = trials(count)
    best = front(found)
    document = best_document(best[0].result)
    return job(JobState.SUCCEEDED, found=found, result=document), found, best


def both() -> tuple[Job, tuple[StoredTrial, ...], tuple[StoredTrial, ...]]:
    """Return what a page about activations and weights together is made of."""
    points = (*POINTS, *WEIGHTS)
    found = trials(points=points)
    best = front(found)
    document = best_document(best[0].result, points=points) | {"objective": "total_memory"}
    spec = JobSpec(model="tiny-net", dataset="digits", tolerance=0.02, target="both")
    finished = job(
        JobState.SUCCEEDED,
        found=found,
        result=document,
        setup=setup(points),
        submission=Submission(spec=spec),
    )
    return finished, found, best


def infeasible() -> tuple[Job, tuple[StoredTrial, ...], tuple[StoredTrial, ...]]:
    """Return what a page about an infeasible job is made of."""
    found = tuple(stored for stored in trials() if not stored.result.feasible)
    document = infeasible_document(found[0].result)
    return job(JobState.INFEASIBLE, found=found, result=document), found, ()


def failed() -> Job:
    """Return a job that failed before its setup was stored."""
    error = JobError(code="unsupported-network", message="cannot capture this network: aten::lstm")
    return job(JobState.FAILED, setup=None, error=error)


def _point(point: QuantizationPoint, config: QuantizerConfig) -> dict[str, Any]:
    levels = 2**config.bit_width
    affine = {"scale": 4.0 / levels, "zero_point": 0, "quant_min": 0, "quant_max": levels - 1}
    codebook = {"levels": [4.0 * (i / levels) ** 1.5 for i in range(levels)], "upper_bound": 4.0}
    return {
        "name": point.name,
        "kind": point.kind,
        "elements": point.elements,
        "quantizer": config.quantizer,
        "bit_width": config.bit_width,
        "bytes_before": point.elements * 4.0,
        "bytes_after": point.elements * config.bit_width / 8,
        "parameters": affine if config.quantizer == "affine" else codebook,
    }
