"""Whom to tell of a job, and what they have been told."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_24_webhooks"
down_revision: str | None = "2026_11_24_answers"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JOBS = sa.table(
    "jobs",
    sa.column("start_untold", sa.Boolean()),
    sa.column("end_untold", sa.Boolean()),
    sa.column("started_at", sa.Double()),
    sa.column("finished_at", sa.Double()),
)
START_UNTOLD = sa.and_(JOBS.c.start_untold.is_(True), JOBS.c.started_at.is_not(None))
END_UNTOLD = sa.and_(JOBS.c.end_untold.is_(True), JOBS.c.finished_at.is_not(None))
EVENTS = "event IN ('started', 'succeeded', 'infeasible', 'failed', 'cancelled')"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("webhook", sa.JSON(none_as_null=True), nullable=True))
    # the defaults: the release before goes on adding jobs
    for name, untold in (("start_untold", START_UNTOLD), ("end_untold", END_UNTOLD)):
        mark: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), server_default=sa.false(), nullable=False
        )
        op.add_column("jobs", mark)
        op.create_index(
            f"ix_jobs_{name}", "jobs", ["id"], postgresql_where=untold, sqlite_where=untold
        )
    _create_deliveries()


def downgrade() -> None:
    op.drop_table("deliveries")
    for name in ("end_untold", "start_untold"):
        op.drop_index(f"ix_jobs_{name}", table_name="jobs")
        op.drop_column("jobs", name)
    op.drop_column("jobs", "webhook")


def _create_deliveries() -> None:
    op.create_table("deliveries", *_columns(), *_constraints())
    still_open = sa.column("claimable_at", sa.Double()).is_not(None)
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["tries", "claimable_at"],
        postgresql_where=still_open,
        sqlite_where=still_open,
    )


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.Double(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("claimable_at", sa.Double(), nullable=True),
        sa.Column("last_try_at", sa.Double(), nullable=True),
        sa.Column("delivered_at", sa.Double(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
    )


def _constraints() -> tuple[sa.Constraint, ...]:
    over = "delivered_at IS NULL OR claimable_at IS NULL"
    return (
        sa.CheckConstraint(EVENTS, name=op.f("ck_deliveries_event")),
        sa.CheckConstraint(over, name=op.f("ck_deliveries_over")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_deliveries_counts")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_deliveries_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("job_id", "event", name=op.f("uq_deliveries_job_id_event")),
    )
