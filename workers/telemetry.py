"""What a worker tells of its work while it works: figures and spans."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

import structlog

from search.trial import TrialResult
from service.store.errors import LeaseLost
from service.store.values import Job
from service.tracing import OFF
from service.tracing import Span
from service.tracing import Tracer
from workers.metrics import Beat
from workers.metrics import End
from workers.metrics import WorkerMetrics

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
        bound = structlog.contextvars.bound_contextvars
        with (
            self.metrics.busy.track_inprogress(),
            bound(job=job.id, attempt=number),
            self.tracer.span("attempt") as span,
            bound(**({"trace_id": span.trace_id} if span.trace_id else {})),
        ):
            spec = job.submission.spec
            span.note({"bitfloor.job.id": job.id, "bitfloor.job.attempt": number})
            span.note({"bitfloor.job.model": spec.model, "bitfloor.job.dataset": spec.dataset})
            end = End.ABANDONED
            try:
                end = work()
            finally:
                self._ended(span, end)

    def heartbeat(self, renew: Callable[[], bool]) -> bool:
        """Renew a lease and return what that brings back; what it raises is counted too."""
        result = Beat.MISSED
        try:
            cancel_requested = renew()
            result = Beat.RENEWED
        except LeaseLost:
            result = Beat.LOST
            raise
        finally:
            self.metrics.heartbeats.labels(result.value).inc()
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
