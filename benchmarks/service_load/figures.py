"""What a run comes to: percentiles of its latencies, requests a second, processor time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one kind of request. Times are seconds."""

    #: of every request: from when it was due, or sent in a closed loop, to its last byte
    latencies: Sequence[float]
    #: from the first request to the last answer
    seconds: float
    #: of the processor, by the server's process
    server_cpu: float
    #: of the processor, by the clients
    client_cpu: float
    #: as Location headers told them
    created: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised of a figure; None: nothing."""

    p95_ms: float | None = None
    per_second: float | None = None


NO_TARGET = Target()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values do not exceed.

    That is the nearest rank: a value that was measured, never one between two.
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def per_second(run: Run) -> float:
    """Return answers a second."""
    return len(run.latencies) / run.seconds


def met(run: Run, target: Target) -> bool | None:
    """Tell whether the target is met; None where there is none."""
    kept = []
    if target.p95_ms is not None:
        kept.append(percentile(run.latencies, 0.95) * 1000 < target.p95_ms)
    if target.per_second is not None:
        kept.append(per_second(run) >= target.per_second)
    return all(kept) if kept else None


def line(run: Run, target: Target) -> dict[str, Any]:
    """Return the run in short, times in milliseconds."""
    count = len(run.latencies)
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
    return {
        "requests": count,
        "per_second": round(per_second(run), 1),
        **{name: _ms(percentile(run.latencies, share)) for name, share in shares.items()},
        "server_cpu_ms": _ms(run.server_cpu / count),
        "client_cpu_ms": _ms(run.client_cpu / count),
        "target": {
            name: value
            for name, value in (("p95_ms", target.p95_ms), ("per_second", target.per_second))
            if value is not None
        },
        "met": met(run, target),
    }


def drift(sizes: Sequence[int]) -> float:
    """Return how far the sizes go from the first, at most, as a share of it; with its sign."""
    first = sizes[0]
    return max((size / first - 1 for size in sizes), key=abs)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
