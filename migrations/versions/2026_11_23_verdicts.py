"""What each trial came to, which no longer follows from whether all images were evaluated."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_23_verdicts"
down_revision: str | None = "2026_11_23_jobs_and_trials"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TRIALS = sa.table(
    "trials",
    sa.column("complete", sa.Boolean()),
    sa.column("constraint_value", sa.Double()),
    sa.column("verdict", sa.String(length=16)),
)


def upgrade() -> None:
    # nullable: the release before goes on recording trials without one
    op.add_column("trials", sa.Column("verdict", sa.String(length=16), nullable=True))
    held = sa.and_(TRIALS.c.complete, TRIALS.c.constraint_value <= 0)
    op.execute(sa.update(TRIALS).values(verdict=sa.case((held, "held"), else_="missed")))


def downgrade() -> None:
    op.drop_column("trials", "verdict")
