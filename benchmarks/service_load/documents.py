"""What workers would have written for a network of so many points: setup, trials, results."""

from functools import cache
from typing import Any

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.cost import memory_bits
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store.values import Setup
from service.store.values import Submission

BASELINE = Baseline(images=1000, correct=900, tolerance=0.02)
BINS = 128  # per histogram, as many as workers keep
QUANTIZERS = ("affine", "affine_mse", "codebook_bounded")


def submission(index: int, *, labels: dict[str, str], budget: int) -> Submission:
    """Return what a client said; submissions differ by their seed."""
    spec = JobSpec(model="tiny", dataset="digits", tolerance=0.02, budget=budget, seed=index)
    return Submission(spec=spec, labels=labels)


@cache
def setup(points: int) -> Setup:
    """Return what the worker found out first."""
    named = tuple(QuantizationPoint(f"features.{n}", 4096 >> n % 6) for n in range(points))
    counts = [(37 * n * n) % 9973 for n in range(BINS)]
    histogram = {"low": 0.0, "high": 6.5, "counts": counts}
    return Setup(
        baseline=BASELINE, points=named, histograms={point.name: histogram for point in named}
    )


@cache
def trial(number: int, *, points: int) -> TrialResult:
    """Return a trial; two of three hold the floor, more bits being more accurate."""
    named = setup(points).points
    widths = [1 + (number * 7 + n * n) % 8 for n in range(points)]
    allocation = BitAllocation(
        tuple(
            (point.name, QuantizerConfig(QUANTIZERS[(number + n) % 3], widths[n]))
            for n, point in enumerate(named)
        )
    )
    correct = 870 + 10 * (number % 3) + sum(widths) * 9 // (8 * points)
    hits = Hits(images=BASELINE.images, correct=correct, lost=max(0, 900 - correct))
    held = correct >= BASELINE.needed
    return TrialResult(
        number=number,
        allocation=allocation,
        origin="bitfloor",
        memory_bits=memory_bits(named, allocation),
        hits=hits,
        complete=True,
        constraint=BASELINE.floor - hits.accuracy,
        verdict=Verdict.HELD if held else Verdict.MISSED,
    )


def best(chosen: TrialResult, *, points: int) -> dict[str, Any]:
    """Return the certified best as a worker writes it, codebooks and all."""
    split = {"images": 2000, "float_accuracy": 0.9, "floor": 0.88, "accuracy": 0.89, "drop": 0.01}
    configs = dict(chosen.allocation.items())
    return {
        "format": 1,
        "model": "tiny",
        "dataset": "digits",
        "tolerance": 0.02,
        "metric": "top1",
        "trial": chosen.number,
        "origin": chosen.origin,
        "memory_bytes": chosen.memory_bits // 8,
        "float_memory_bytes": setup(points).float_bits // 8,
        "saved": setup(points).saved(chosen.memory_bits),
        "average_bits": setup(points).average_bits(chosen.allocation),
        "search": split,
        "certification": {**split, "judgement": "certified", "p_value": 0.0123, "others": []},
        "uniform": None,
        "images_evaluated": 7064,
        "points": [_point(point, configs[point.name]) for point in setup(points).points],
    }


def infeasible() -> dict[str, Any]:
    """Return what is told where nothing held the floor."""
    return {
        "format": 1,
        "closest": {"trial": 0, "saved": 0.94, "accuracy": 0.879},
        "floor": 0.88,
        "float_accuracy": 0.9,
        "shortfall": 0.001,
        "blame": [{"point": "features.0", "recovered": 0.002}],
        "reason": "the closest allocation missed the floor by one image",
    }


def _point(point: QuantizationPoint, config: QuantizerConfig) -> dict[str, Any]:
    levels = 2**config.bit_width
    told: dict[str, Any] = {"scale": 0.1, "zero_point": 0, "quant_min": 0, "quant_max": levels - 1}
    if config.quantizer == "codebook_bounded":
        told = {"upper_bound": 6.0, "codebook": [6.0 * n / levels for n in range(levels)]}
    return {
        "name": point.name,
        "kind": "activation",
        "elements": point.elements,
        "quantizer": config.quantizer,
        "bit_width": config.bit_width,
        "bytes_before": point.elements * 4,
        "bytes_after": point.elements * config.bit_width // 8,
        "parameters": told,
    }
