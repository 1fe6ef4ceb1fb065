"""Whose each job is, and who may do what: tokens, sessions and quotas."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_24_tenants"
down_revision: str | None = "2026_11_23_verdicts"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # the default: the release before goes on adding jobs
    tenant = sa.Column("tenant", sa.String(length=63), server_default="default", nullable=False)
    op.add_column("jobs", tenant)
    op.create_index("ix_jobs_tenant_newest", "jobs", ["tenant", "created_at", "id"])
    columns = ["tenant", "state", "created_at", "id"]
    op.create_index("ix_jobs_tenant_state_newest", "jobs", columns)
    _create_tokens()
    _create_sessions()
    _create_quotas()


def downgrade() -> None:
    for table in ("quotas", "sessions", "tokens"):
        op.drop_table(table)
    for index in ("ix_jobs_tenant_state_newest", "ix_jobs_tenant_newest"):
        op.drop_index(index, table_name="jobs")
    op.drop_column("jobs", "tenant")


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
    op.create_index("ix_tokens_tenant_created_at", "tokens", ["tenant", "created_at"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name=op.f("fk_sessions_tokens"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_token_id"), "sessions", ["token_id"])
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])


def _create_quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("tenant", sa.String(length=63), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("queued_jobs", "trials", "images", "priority")
        ),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_quotas")),
    )
