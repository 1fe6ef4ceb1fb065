"""What one worker counts, for Prometheus to read from the worker itself."""

from enum import StrEnum
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram
from prometheus_client import Info
from prometheus_client import PlatformCollector
from prometheus_client import ProcessCollector
from prometheus_client import start_http_server

#: seconds; from a small network on a GPU to a large one, seen to the last image, without
_TRIAL_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


class End(StrEnum):
    """How an attempt ended."""

    FINISHED = "finished"  # succeeded or infeasible
    CANCELLED = "cancelled"
    RELEASED = "released"  # the worker was asked to stop
    FAILED = "failed"  # another attempt would fail alike
    RETRY = "retry"  # given back for another attempt, unless it was the last
    LEASE_LOST = "lease_lost"
    ABANDONED = "abandoned"  # the database was away; the lease will lapse


class Beat(StrEnum):
    """How a try to renew a lease ended."""

    RENEWED = "renewed"
    MISSED = "missed"  # the database was away
    LOST = "lost"


class WorkerMetrics:
    """The figures of one worker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("bitfloor_worker", "The release that runs.", registry=self.registry).info(
            {"version": version("bitfloor")}
        )
        self.busy = Gauge(
            "bitfloor_worker_busy", "1 while the worker has a job.", registry=self.registry
        )
        self.trial_seconds = Histogram(
            "bitfloor_worker_trial_seconds",
            "How long proposing and evaluating a recorded trial took.",
            registry=self.registry,
            buckets=_TRIAL_BUCKETS,
        )
        self.images = self._counter(
            "images", "Images evaluated: calibration, baseline, trials and certification."
        )
        self.claims = self._counter("claims", "Jobs claimed.")
        self.reclaims = self._counter("reclaims", "Jobs claimed that had been claimed before.")
        self.attempts = self._counter("attempts", "Attempts, by how they ended.", "end")
        self.heartbeats = self._counter("heartbeats", "Tries to renew a lease.", "result")
        self.lease_losses = self._counter("lease_losses", "Leases that this worker lost.")
        # there from the start, so that a rate sees the first of each
        for end in End:
            self.attempts.labels(end.value)
        for result in Beat:
            self.heartbeats.labels(result.value)

    def serve(self, host: str, port: int) -> int:
        """Answer on the address until the process ends; return the port, one found for port 0.

        Raises OSError where the address cannot be used.
        """
        server, _ = start_http_server(port, addr=host, registry=self.registry)
        return int(server.server_port)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"bitfloor_worker_{name}", told, labels, registry=self.registry)
