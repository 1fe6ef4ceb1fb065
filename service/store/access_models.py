"""The tables of access: tokens and sessions, of which only digests are kept, and quotas."""

from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from service.store.models import Base


class TokenRow(Base):
    """One token: the digest of its secret, and what it allows."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(63))
    name: Mapped[str] = mapped_column(String(63))
    #: words between spaces
    scopes: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]
    last_used_at: Mapped[float | None]

    __table_args__ = (Index("ix_tokens_tenant_created_at", "tenant", "created_at"),)


class SessionRow(Base):
    """A browser that showed a token once; ends with the token at the latest."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[str] = mapped_column(
        String(32), ForeignKey(TokenRow.id, ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[float] = mapped_column(index=True)


class QuotaRow(Base):
    """What one tenant may use; the one of `*` holds for all that have none."""

    __tablename__ = "quotas"

    tenant: Mapped[str] = mapped_column(String(63), primary_key=True)
    queued_jobs: Mapped[int | None]
    trials: Mapped[int | None]
    images: Mapped[int | None]
    priority: Mapped[int | None]
