"""/v1/jobs/{id}/deliveries: what the job's webhook was told, what came of it, and once more."""

from datetime import UTC
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path

from service.api.errors import CrossOrigin
from service.api.openapi import responses
from service.api.parameters import Chosen
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.webhooks import Deliveries
from service.api.webhooks import Delivery
from service.store import deliveries
from service.store import jobs
from service.store import webhooks
from service.store.errors import DeliveryNotFound
from service.store.errors import DeliveryPending
from service.store.errors import JobNotFound
from service.webhooks import allowlist
from service.webhooks.errors import UrlRefused

router = APIRouter(prefix="/v1/jobs/{job_id}")

DeliveryId = Annotated[str, Path(description="As the list of the job's deliveries says.")]


@router.get("/deliveries", responses=responses(JobNotFound))
def list_deliveries(engine: Database, job_id: JobId) -> Deliveries:
    """List what the job's webhook was told, or will be told again."""
    jobs.get(engine, job_id)
    return Deliveries(items=[_told(one) for one in deliveries.of_job(engine, job_id)])


@router.post(
    "/deliveries/{delivery_id}/resend",
    status_code=202,
    responses=responses(JobNotFound, DeliveryNotFound, DeliveryPending, UrlRefused, CrossOrigin),
)
def resend_delivery(
    engine: Database, job_id: JobId, *, delivery_id: DeliveryId, options: Chosen
) -> Delivery:
    """Send a delivery that is over once more, under the same id and with tries of its own."""
    webhook = jobs.get(engine, job_id).submission.webhook
    if webhook is None:
        raise DeliveryNotFound(job_id, delivery_id)
    # nobody would ever try it
    allowlist.require(webhook.url, options.webhook_hosts)
    return _told(deliveries.resend(engine, job_id, delivery_id=delivery_id))


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
