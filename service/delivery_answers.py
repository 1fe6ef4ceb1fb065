"""What the REST API answers about a job's webhook, as frozen typed values."""

from collections.abc import Sequence
from datetime import datetime

from service.answers import Answer


class Delivery(Answer):
    """One event of a job, and how far its webhook is."""

    #: the header webhook-id of every try
    id: str
    event: str
    #: "pending", "delivered" or "given-up"
    state: str
    happened_at: datetime
    #: of the present series: sent again, it starts over
    tries: int
    last_try_at: datetime | None = None
    next_try_at: datetime | None = None
    delivered_at: datetime | None = None
    #: what the receiver answered last
    status: int | None = None
    #: why the last try failed
    error: str | None = None


class Deliveries(Answer):
    """All deliveries of a job, in the order of its events."""

    items: Sequence[Delivery]
