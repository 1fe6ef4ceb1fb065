"""Whose deliveries have to wait, because theirs are being tried as often as is fair."""

from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import ColumnElement
from sqlalchemy import func
from sqlalchemy import not_
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import true

from service.store.delivery_models import DeliveryRow
from service.store.models import JobRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """Tenants and receivers of whose deliveries no further one is to be taken for now."""

    tenants: frozenset[str] = field(default_factory=frozenset)
    #: as `Webhook.receiver` says
    receivers: frozenset[str] = field(default_factory=frozenset)


#: nobody has to wait
NOBODY = Full()


def open_to(full: Full) -> ColumnElement[bool]:
    """Return the condition under which a delivery is none of those that have to wait."""
    waits: list[ColumnElement[bool]] = []
    if full.tenants:
        waits.append(JobRow.tenant.in_(full.tenants))
    url = func.lower(JobRow.webhook["url"].as_string())
    for receiver in sorted(full.receivers):
        waits += [url == receiver]
        waits += [url.startswith(f"{receiver}{sign}", autoescape=True) for sign in "/?"]
    if not waits:
        return true()
    mine = select(JobRow.id).where(JobRow.id == DeliveryRow.job_id, or_(*waits))
    return not_(mine.exists())
