"""What a search starts from: an earlier job, what it took over, and its sensitivity."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_24_starts"
down_revision: str | None = "2026_11_24_webhooks"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("from_job", sa.Uuid(as_uuid=False), nullable=True))
    for name in ("taken", "ground"):
        op.add_column("jobs", sa.Column(name, sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "starts",
        sa.Column("job_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sensitivity", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_starts_jobs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name="pk_starts"),
    )


def downgrade() -> None:
    op.drop_table("starts")
    for name in ("ground", "taken", "from_job"):
        op.drop_column("jobs", name)
