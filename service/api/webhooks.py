"""Webhooks in requests and answers: where to send word of a job, of what, and what came of it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import StringConstraints

from service.api.rules import EachOnce
from service.store import webhooks
from service.store.webhooks import FINAL_EVENTS
from service.store.webhooks import DeliveryState
from service.store.webhooks import Event
from service.webhooks.targets import MAX_URL


class Webhook(BaseModel):
    """Whom to tell of a job: a signed POST for each event, tried for about a day."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_URL)] = Field(
        description="https, at a host that the operator allows; whoever may read the job sees it.",
        examples=["https://ci.example.com/bitfloor"],
    )
    events: Annotated[list[Event], EachOnce] = Field(
        default=list(FINAL_EVENTS),
        min_length=1,
        max_length=len(Event),
        description="Of what to tell, each once; left out, of the end, however the job ends.",
        json_schema_extra={"uniqueItems": True},
    )

    def to_value(self) -> webhooks.Webhook:
        """Return what the store keeps."""
        return webhooks.Webhook(url=self.url, events=tuple(self.events))


class Delivery(BaseModel):
    """One event, and how far its webhook is."""

    id: str = Field(description="The header webhook-id of every try.")
    event: Event
    state: DeliveryState
    happened_at: datetime
    tries: int = Field(description="Those since it was due first or was sent again.")
    last_try_at: datetime | None
    next_try_at: datetime | None = Field(
        description="null: none. Of a try under way: when it counts as lost."
    )
    delivered_at: datetime | None
    status: int | None = Field(description="What the receiver answered last; null: nothing.")
    error: str | None = Field(description="Why the last try failed.")


class Deliveries(BaseModel):
    """All deliveries of a job, in the order of its events; none before the first event."""

    items: list[Delivery]
