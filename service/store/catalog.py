"""The catalog: what the workers of this deployment have announced they can load."""

from collections.abc import Mapping
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy import select

from service.store import upserts
from service.store.clock import db_now
from service.store.models import OfferRow
from service.store.transactions import reading
from service.store.transactions import writing
from service.store.values import Offer


def announce(engine: Engine, offers: Sequence[Offer]) -> None:
    """Add the offers, each over an earlier one of its kind and name."""
    # sorted, so that workers that announce at the same moment lock in the same order
    latest = {(offer.kind, offer.name): offer for offer in offers}
    with writing(engine) as session:
        for (kind, name), offer in sorted(latest.items(), key=lambda item: item[0]):
            values = {"details": dict(offer.details), "announced_at": db_now()}
            statement = upserts.insert(session, OfferRow).values(kind=kind, name=name, **values)
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=[OfferRow.kind, OfferRow.name], set_=values
                )
            )


def names(engine: Engine) -> Mapping[str, tuple[str, ...]]:
    """Return the names of all that is offered, by kind, each sorted."""
    statement = select(OfferRow.kind, OfferRow.name).order_by(OfferRow.name)
    found: dict[str, list[str]] = {}
    with reading(engine) as session:
        for kind, name in session.execute(statement):
            found.setdefault(kind, []).append(name)
    return {kind: tuple(listed) for kind, listed in found.items()}


def offers(engine: Engine, kind: str) -> tuple[Offer, ...]:
    """Return what is offered of this kind, by name."""
    statement = select(OfferRow).where(OfferRow.kind == kind).order_by(OfferRow.name)
    with reading(engine) as session:
        return tuple(
            Offer(kind=row.kind, name=row.name, details=row.details)
            for row in session.scalars(statement)
        )
