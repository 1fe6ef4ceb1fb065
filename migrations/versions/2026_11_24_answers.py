"""What a job's search depends on, and the earlier job that it was answered from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_24_answers"
down_revision: str | None = "2026_11_24_tenants"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("content", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("answered_by", sa.Uuid(as_uuid=False), nullable=True))
    columns = ["tenant", "content", "created_at", "id"]
    succeeded = sa.text("state = 'succeeded'")
    op.create_index(
        "ix_jobs_content", "jobs", columns, postgresql_where=succeeded, sqlite_where=succeeded
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_content", table_name="jobs")
    op.drop_column("jobs", "answered_by")
    op.drop_column("jobs", "content")
