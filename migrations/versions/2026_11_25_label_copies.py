"""Whose the job of a label is, and its state: so that one index finds and sorts by them too.

The database itself keeps both as they are in `jobs`, by triggers: the release before, which knows
neither, goes on adding labels and ending jobs.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_25_label_copies"
down_revision: str | None = "2026_11_24_starts"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEXES = {
    "ix_labels_state_newest": ("digest", "state", "created_at", "job_id"),
    "ix_labels_tenant_newest": ("digest", "tenant", "created_at", "job_id"),
    "ix_labels_tenant_state_newest": ("digest", "tenant", "state", "created_at", "job_id"),
}

_SQLITE = (
    """
    CREATE TRIGGER labels_added AFTER INSERT ON labels
    WHEN NEW.tenant IS NULL OR NEW.state IS NULL
    BEGIN
        UPDATE labels SET (tenant, state) = (SELECT tenant, state FROM jobs WHERE id = NEW.job_id)
        WHERE job_id = NEW.job_id AND digest = NEW.digest;
    END
    """,
    """
    CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
    BEGIN
        UPDATE labels SET state = NEW.state WHERE job_id = NEW.id;
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION labels_added() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT tenant, state INTO NEW.tenant, NEW.state FROM jobs WHERE id = NEW.job_id;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER labels_added BEFORE INSERT ON labels FOR EACH ROW
    WHEN (NEW.tenant IS NULL OR NEW.state IS NULL) EXECUTE FUNCTION labels_added()
    """,
    """
    CREATE FUNCTION jobs_moved() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE labels SET state = NEW.state WHERE job_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION jobs_moved()
    """,
)


def upgrade() -> None:
    op.add_column("labels", sa.Column("tenant", sa.String(length=63), nullable=True))
    op.add_column("labels", sa.Column("state", sa.String(length=16), nullable=True))
    op.execute(
        "UPDATE labels SET (tenant, state) ="
        " (SELECT jobs.tenant, jobs.state FROM jobs WHERE jobs.id = labels.job_id)"
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "labels", list(columns))
    for statement in _POSTGRESQL if _on_postgresql() else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    of = {"jobs_moved": " ON jobs", "labels_added": " ON labels"} if _on_postgresql() else {}
    for trigger in ("jobs_moved", "labels_added"):
        op.execute(f"DROP TRIGGER {trigger}{of.get(trigger, '')}")
    for function in of:
        op.execute(f"DROP FUNCTION {function}()")
    for name in _INDEXES:
        op.drop_index(name, table_name="labels")
    for name in ("state", "tenant"):
        op.drop_column("labels", name)


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
