"""/v1/jobs/{id}/deliveries: what the job's webhook was told, and what came of it."""

from datetime import UTC
from datetime import datetime

from fastapi import APIRouter

from service.api.openapi import responses
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.webhooks import Deliveries
from service.api.webhooks import Delivery
from service.store import deliveries
from service.store import jobs
from service.store import webhooks
from service.store.errors import JobNotFound

router = APIRouter(prefix="/v1/jobs/{job_id}")


@router.get("/deliveries", responses=responses(JobNotFound))
def list_deliveries(engine: Database, job_id: JobId) -> Deliveries:
    """List what the job's webhook was told, or will be told again."""
    jobs.get(engine, job_id)
    return Deliveries(items=[_told(one) for one in deliveries.of_job(engine, job_id)])


def _told(value: webhooks.Delivery) -> Delivery:
    return Delivery(
        id=value.id,
        event=value.event,
        state=value.state,
        happened_at=datetime.fromtimestamp(value.happened_at, UTC),
        tries=value.tries,
        last_try_at=_utc(value.last_try_at),
        next_try_at=_utc(value.next_try_at),
        delivered_at=_utc(value.delivered_at),
        status=value.status,
        error=value.error,
    )


def _utc(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
