"""Requests as Prometheus counts them: by template, never by path, so that no caller adds series."""

from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram

#: seconds; a waiting database shows up to its timeouts
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class HttpMetrics:
    """What one application counts, in its own registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "bitfloor_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "bitfloor_http_request_duration_seconds",
            "Time until the answer began; how long an event stream lasted is in the log.",
            ("method", "route"),
            registry=registry,
            buckets=_BUCKETS,
        )
        self.in_progress = Gauge(
            "bitfloor_http_requests_in_progress",
            "Requests being answered, followers of events among them.",
            registry=registry,
        )
