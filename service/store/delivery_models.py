"""The table of deliveries: what receivers of webhooks are told, and how far that is."""

from sqlalchemy import CheckConstraint
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy import UniqueConstraint
from sqlalchemy import Uuid
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from service.store.models import Base
from service.store.models import JobRow
from service.store.webhooks import Event

_EVENTS = ", ".join(f"'{event}'" for event in Event)


class DeliveryRow(Base):
    """One event of one job; where it goes is the job's."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    job_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(JobRow.id, ondelete="CASCADE")
    )
    event: Mapped[str] = mapped_column(String(16))
    happened_at: Mapped[float]
    tries: Mapped[int] = mapped_column(default=0)
    #: when a claim may take it: at the next try, or once the lease of one lapsed; null: it is over
    claimable_at: Mapped[float | None]
    last_try_at: Mapped[float | None]
    delivered_at: Mapped[float | None]
    status: Mapped[int | None]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("job_id", "event"),
        CheckConstraint(f"event IN ({_EVENTS})", name="event"),
        CheckConstraint("delivered_at IS NULL OR claimable_at IS NULL", name="over"),
        CheckConstraint("tries >= 0", name="counts"),
    )


#: Deliveries that are not over. In the order of tries, so that a receiver that does not answer
#: holds up nobody's first try.
OPEN = DeliveryRow.claimable_at.is_not(None)

Index(
    "ix_deliveries_open",
    DeliveryRow.tries,
    DeliveryRow.claimable_at,
    postgresql_where=OPEN,
    sqlite_where=OPEN,
)
