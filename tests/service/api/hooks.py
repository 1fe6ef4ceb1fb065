"""Jobs with a webhook, and what it was told, without a receiver."""

from sqlalchemy import Engine

from service.store import deliveries
from service.store.webhooks import Delivery
from service.store.webhooks import Outcome
from service.store.webhooks import Webhook
from service.webhooks.allowlist import entries

#: for `Options.webhook_hosts`
HOSTS = entries("ci.example.com")
WEBHOOK = Webhook(url="https://ci.example.com/hook")
TAKEN = Outcome(status=204)


def tried(engine: Engine, outcome: Outcome = TAKEN) -> Delivery:
    """Return the next delivery, which is over with that."""
    claimed = deliveries.claim(engine, lease_seconds=60)
    assert claimed is not None, "nothing to deliver"
    deliveries.record(engine, claimed[0], outcome)
    return claimed[0]
