"""What a job tells the outside: webhooks, their events, and the deliveries of these."""

import re
from dataclasses import dataclass
from enum import StrEnum

#: where a URL's path or query begins
_RECEIVER = re.compile(r"(?<=[^/:])[/?]")


class Event(StrEnum):
    """What a webhook can be told of; each happens to a job once at most."""

    STARTED = "started"  # a worker has taken it, for the first time
    SUCCEEDED = "succeeded"
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: the states in which a job ends, under the same names
FINAL_EVENTS = tuple(event for event in Event if event is not Event.STARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where to send word of a job, and of what."""

    url: str
    events: tuple[Event, ...] = FINAL_EVENTS

    @property
    def receiver(self) -> str:
        """Scheme, host and port, in small letters but otherwise as the URL spells them."""
        return _RECEIVER.split(self.url.lower(), maxsplit=1)[0]


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"  # -> delivered | given-up
    DELIVERED = "delivered"  # -> pending, if asked for: the receiver has answered that it took it
    GIVEN_UP = "given-up"  # -> pending, if asked for: it did not, however often it was tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to its receiver. Times are seconds since the epoch, database clock."""

    #: the same at every try, so that receivers can tell a repetition
    id: str
    job_id: str
    event: Event
    state: DeliveryState
    happened_at: float
    #: since it was first due or sent again, one that is under way included
    tries: int
    #: when a claim took it; with `tries`, what a later claim fences out an earlier one by
    last_try_at: float | None
    #: of a try under way: when it counts as lost
    next_try_at: float | None
    delivered_at: float | None
    #: what the receiver answered last, if it did
    status: int | None
    #: why the last try failed
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try."""

    #: of the receiver's answer; None: there was none
    status: int | None = None
    #: one sentence; None: delivered
    error: str | None = None
