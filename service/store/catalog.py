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
    latest = {(offer.kind, offer.name): offer for offer in offers}
    if not latest:
        return
    with writing(engine) as session:
        statement = upserts.insert(session, OfferRow).values(announced_at=db_now())
        said = {name: statement.excluded[name] for name in ("details", "announced_at")}
        # all at once: there are a thousand, and nobody else writes meanwhile on SQLite
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[OfferRow.kind, OfferRow.name], set_=said
            ),
            # sorted, so that workers that announce at the same moment lock in the same order
            [
                {"kind": kind, "name": name, "details": dict(latest[kind, name].details)}
                for kind, name in sorted(latest)
            ],
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
