"""What a webhook says: the same bytes at every try, of what no longer changes about the job."""

from datetime import UTC
from datetime import datetime
from typing import Any

from service.store import codec
from service.store.values import Job
from service.store.webhooks import Delivery
from service.store.webhooks import Event


def body(delivery: Delivery, job: Job) -> bytes:
    """Return the document, as JSON."""
    return codec.dumps(document(delivery, job)).encode()


def document(delivery: Delivery, job: Job) -> dict[str, Any]:
    """Return the event's type, when it happened, and the job as it stood then."""
    spec = job.submission.spec
    data = {
        "id": job.id,
        "href": f"/v1/jobs/{job.id}",
        "state": "running" if delivery.event is Event.STARTED else delivery.event.value,
        "tenant": job.submission.tenant,
        "labels": dict(job.submission.labels),
        "model": spec.model,
        "dataset": spec.dataset,
        "tolerance": spec.tolerance,
        "created_at": _utc(job.created_at),
        "started_at": _utc(job.started_at),
    }
    return {
        "type": f"job.{delivery.event}",
        "timestamp": _utc(delivery.happened_at),
        "data": data if delivery.event is Event.STARTED else data | _end(job),
    }


def _end(job: Job) -> dict[str, Any]:
    result = job.result or {}
    return {
        "finished_at": _utc(job.finished_at),
        "saved": result.get("saved"),
        "reason": result.get("reason"),
        "error": None if job.error is None else codec.error_document(job.error),
    }


def _utc(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
