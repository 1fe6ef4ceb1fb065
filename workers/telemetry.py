"""What a worker tells of its work while it works: figures and spans."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum

import structlog

from search.trial import TrialResult
from service.store.errors import LeaseLost
from service.store.values import Job
from service.tracing import OFF
from service.tracing import Span
from service.tracing import Tracer
from workers.metrics import WorkerMetrics


class End(StrEnum):
    """How an attempt ended."""

    FINISHED = "finished"  # succeeded or infeasible
    CANCELLED = "cancelled"
    RELEASED = "released"  # the worker was asked to stop
    FAILED = "failed"  # another attempt would fail alike
    RETRY = "retry"  # given back for another attempt, unless it was the last
    LEASE_LOST = "lease_lost"
    ABANDONED = "abandoned"  # the database was away; the lease will lapse


_FAILURES = {End.FAILED, End.RETRY, End.LEASE_LOST, End.ABANDONED}


@dataclass(frozen=True)
class Telemetry:
    """Where a worker tells of its work; by itself, figures that nobody reads and no spans."""

    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    tracer: Tracer = OFF

    def attempt(self, job: Job, number: int, *, work: Callable[[], End]) -> None:
        """Do the work of an attempt; every line it logs names the job and the attempt."""
        self.metrics.claims.inc()
        if number > 1:
            self.metrics.reclaims.inc()
        spec = job.submission.spec
        with (
            self.metrics.busy.track_inprogress(),
            structlog.contextvars.bound_contextvars(job=job.id, attempt=number),
            self.tracer.span("attempt") as span,
        ):
            if span.trace_id:
                structlog.contextvars.bind_contextvars(trace_id=span.trace_id)
            span.note({"bitfloor.job.id": job.id, "bitfloor.job.attempt": number})
            span.note({"bitfloor.job.model": spec.model, "bitfloor.job.dataset": spec.dataset})
            end = End.ABANDONED
            try:
                end = work()
            finally:
                self._ended(span, end)

    def heartbeat(self, renew: Callable[[], bool]) -> bool:
        """Renew a lease and return what that brings back; what it raises is counted too."""
        result = "missed"
        try:
            cancel_requested = renew()
            result = "renewed"
        except LeaseLost:
            result = "lost"
            raise
        finally:
            self.metrics.heartbeats.labels(result).inc()
        return cancel_requested

    def trial(self, span: Span, result: TrialResult, *, seconds: float) -> None:
        """Tell of a trial that has been recorded."""
        self.metrics.trial_seconds.observe(seconds)
        self.metrics.images.inc(result.hits.images)
        span.note({"bitfloor.trial.number": result.number, "bitfloor.trial.origin": result.origin})
        span.note({"bitfloor.trial.verdict": result.verdict.value})
        span.note({"bitfloor.trial.images": result.hits.images})
        span.note({"bitfloor.trial.memory_bits": result.memory_bits})

    def _ended(self, span: Span, end: End) -> None:
        self.metrics.attempts.labels(end.value).inc()
        if end is End.LEASE_LOST:
            self.metrics.lease_losses.inc()
        span.note({"bitfloor.attempt.end": end.value})
        if end in _FAILURES:
            span.fail(end.value)
