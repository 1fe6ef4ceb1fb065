"""The documents a search ends with, as plain JSON values; the same search gives the same bytes."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search import cost
from search.allocation import FLOAT_BIT_WIDTH
from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.baseline import Certificate
from search.certify import Check
from search.diagnosis import Blame
from search.paired import drop_upper_bound
from search.spec import JobSpec
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.uniform import uniform_allocations

FORMAT = 1  # raised when a field changes its meaning
CONFIDENCE = 0.95  # of the bound on the drop, where the request asks for no certificate
_BITS_PER_BYTE = 8

#: (point, option) -> what a runtime needs, ready for JSON
Describe = Mapping[tuple[str, QuantizerConfig], Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a search did before its end."""

    job: JobSpec
    search: SearchSpec
    trials: Sequence[TrialResult]
    calibration_images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why nothing held the floor."""

    #: the float model on the split that was missed
    baseline: Baseline
    #: the closest
    trial: TrialResult
    #: its hits on the whole split
    hits: Hits
    blames: Sequence[Blame]
    #: a sentence
    reason: str


def best(
    evidence: Evidence,
    check: Check,
    *,
    checks: Sequence[Check],
    certification: Baseline,
    describe: Describe,
) -> dict[str, Any]:
    """Return the best document, of a check that holds among all checks."""
    job, search = evidence.job, evidence.search
    chosen, hits = check.trial, check.hits
    return {
        "format": FORMAT,
        "model": job.model,
        "weights": job.weights,
        "dataset": job.dataset,
        "tolerance": job.tolerance,
        "metric": job.metric,
        "trial": chosen.number,
        "origin": chosen.origin,
        **memory(search, chosen.allocation),
        "search": on_split(search.baseline, chosen.hits),
        "certification": {
            **on_split(certification, hits),
            **bound(check, search.certificate),
            "gap": hits.drop - chosen.hits.drop,
            "holds": True,
            "judgement": check.judgement,
            "p_value": check.p_value,
            "others": [checked(search, other) for other in checks if other is not check],
        },
        "uniform": _uniform(search, evidence.trials),
        "images_evaluated": _images(evidence, checks, certification=certification),
        "points": [_point(point, chosen.allocation, describe=describe) for point in search.points],
    }


def infeasible(search: SearchSpec, why: Explanation) -> dict[str, Any]:
    """Return the document that tells why nothing held the floor."""
    needed = why.baseline.needed / why.baseline.images
    worst_first = sorted(why.blames, key=lambda b: (-b.recovered, b.point))
    return {
        "format": FORMAT,
        "reason": why.reason,
        "float_accuracy": why.baseline.accuracy,
        "floor": why.baseline.floor,
        "images": why.baseline.images,
        "shortfall": needed - why.hits.accuracy,
        "closest": {
            "trial": why.trial.number,
            **memory(search, why.trial.allocation),
            "accuracy": why.hits.accuracy,
            "allocation": {
                point: {"quantizer": config.quantizer, "bit_width": config.bit_width}
                for point, config in why.trial.allocation.items()
            },
        },
        "blame": [{"point": b.point, "recovered": b.recovered} for b in worst_first],
    }


def checked(search: SearchSpec, check: Check) -> dict[str, Any]:
    """Return what the certification split said of one candidate."""
    return {
        "trial": check.trial.number,
        "saved": _saved(search, check.trial.allocation),
        "images": check.hits.images,
        "accuracy": check.hits.accuracy,
        "drop": check.hits.drop,
        "judgement": check.judgement,
        "p_value": check.p_value,
        "images_needed": check.images_needed,
    }


def _images(evidence: Evidence, checks: Sequence[Check], *, certification: Baseline) -> int:
    """Return all images that were put through the network, in float or quantized."""
    return (
        evidence.calibration_images
        # counted also where it was kept from an earlier job: the same request, the same document
        + (evidence.search.sensitivity.images if evidence.search.sensitivity else 0)
        + evidence.search.baseline.images
        + sum(trial.spent for trial in evidence.trials)
        + certification.images
        + sum(check.hits.images for check in checks)
    )


def memory(search: SearchSpec, allocation: BitAllocation) -> dict[str, Any]:
    """Return the price that was minimized; if it is not activation memory, that of the parts too.

    Bit operations are no memory: there the memory is that of the points.
    """
    stored = cost.memory_bits(search.points, allocation)
    price, before = search.cost(allocation), cost.float_cost(search.minimized)
    name = search.minimized.name
    operations = name == cost.BIT_OPERATIONS
    memory, unquantized = (
        (stored, cost.float_memory_bits(search.points)) if operations else (price, before)
    )
    return {
        **({} if name == cost.ACTIVATION_MEMORY else {"objective": name}),
        **({"bit_operations": price, "float_bit_operations": before} if operations else {}),
        "memory_bytes": memory / _BITS_PER_BYTE,
        "float_memory_bytes": unquantized / _BITS_PER_BYTE,
        "saved": _saved(search, allocation),
        "average_bits": cost.average_bits(search.points, stored),
        **({} if name == cost.ACTIVATION_MEMORY else _by_kind(search.points, allocation)),
    }


def _by_kind(points: Sequence[QuantizationPoint], allocation: BitAllocation) -> dict[str, float]:
    """Return what the codes of activations and of weights take, of those that are quantized."""
    return {
        f"{kind}_bytes": cost.memory_bits(part, allocation) / _BITS_PER_BYTE
        for kind in Kind
        if (part := [point for point in points if point.kind is kind])
    }


def _saved(search: SearchSpec, allocation: BitAllocation) -> float:
    return 1 - search.cost(allocation) / cost.float_cost(search.minimized)


def on_split(baseline: Baseline, hits: Hits) -> dict[str, float]:
    """Return what an allocation does on a split, `baseline` being the float model there."""
    return {
        "images": hits.images,
        "float_accuracy": baseline.accuracy,
        "floor": baseline.floor,
        "accuracy": hits.accuracy,
        "drop": hits.drop,
        "correct": hits.correct,
        "lost": hits.lost,
        "gained": hits.gained,
    }


def bound(check: Check, certificate: Certificate | None) -> dict[str, float]:
    """Return what the drop is below, and how surely over all candidates together."""
    confidence = certificate.confidence if certificate else CONFIDENCE
    return {
        "drop_upper_bound": drop_upper_bound(check.hits, confidence),
        "confidence": confidence,
    }


def _uniform(search: SearchSpec, trials: Sequence[TrialResult]) -> dict[str, Any] | None:
    """Return the smallest uniform allocation that held the floor on the search split.

    Points whose rules gave them something else, or left them in float32, are its exceptions.
    """
    uniform = uniform_allocations(search)
    held = [trial for trial in trials if trial.feasible and trial.allocation in uniform]
    if not held:
        return None
    trial = min(held, key=lambda t: (t.memory_bits, -t.hits.correct, t.number))
    option = uniform[trial.allocation]
    others = [p.name for p in search.points if trial.allocation.get(p.name) != option]
    return {
        "quantizer": option.quantizer,
        "bit_width": option.bit_width,
        "memory_bytes": memory(search, trial.allocation)["memory_bytes"],
        "saved": _saved(search, trial.allocation),
        "accuracy": trial.hits.accuracy,
        **({"exceptions": others} if others else {}),
    }


def _point(
    point: QuantizationPoint, allocation: BitAllocation, *, describe: Describe
) -> dict[str, Any]:
    config = allocation.get(point.name)
    before = point.elements * FLOAT_BIT_WIDTH / _BITS_PER_BYTE
    what = {"name": point.name, "kind": point.kind.value, "elements": point.elements}
    if config is None:
        return {
            **what,
            "quantizer": None,
            "bit_width": FLOAT_BIT_WIDTH,
            "bytes_before": before,
            "bytes_after": before,
            "parameters": {},
        }
    return {
        **what,
        "quantizer": config.quantizer,
        "bit_width": config.bit_width,
        "bytes_before": before,
        "bytes_after": point.elements * config.bit_width / _BITS_PER_BYTE,
        "parameters": dict(describe[point.name, config]),
    }
