"""The tables: every job, its labels, its trials and its front, and what workers can load."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import CheckConstraint
from sqlalchemy import Double
from sqlalchemy import ForeignKey
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy import Index
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy import Uuid
from sqlalchemy import and_
from sqlalchemy import false
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from service.store.access import DEFAULT_TENANT
from service.store.values import JobState

_LIVE = "state IN ('queued', 'running')"
_STATES = ", ".join(f"'{state}'" for state in JobState)


class Base(DeclarativeBase):
    """What all tables share: predictable constraint names, 64-bit numbers, JSON kept as written."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        int: BigInteger,
        float: Double,
        str: Text,
        # JSON, not JSONB: the points of an allocation keep their order
        dict[str, Any]: JSON(none_as_null=True),
    }


class JobRow(Base):
    """One submission and where it stands."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(default="")
    submission: Mapped[dict[str, Any]]
    #: digest of the key, which itself is in the submission: any length fits the unique index
    idempotency_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    priority: Mapped[int]
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    #: when a claim may take the job: queued, not before; running, once the lease lapsed.
    #: In no index, so that renewing a lease stays a heap-only update on PostgreSQL.
    claimable_at: Mapped[float | None]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    error: Mapped[dict[str, Any] | None]
    #: the attempt that `error` comes from
    error_attempt: Mapped[int | None]
    setup: Mapped[dict[str, Any] | None]
    #: apart from the setup, because listings leave them out
    histograms: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    #: counted here in the transaction that records a trial, so that listings read no trials
    trials: Mapped[int] = mapped_column(default=0)
    images_evaluated: Mapped[int] = mapped_column(default=0)
    #: the feasible trial with the fewest bits; it need not be on the front
    best_number: Mapped[int | None]
    #: whose it is; the default is for a release that knows no tenants
    tenant: Mapped[str] = mapped_column(String(63), server_default=DEFAULT_TENANT)
    #: digest of what the search depends on, once a worker has seen it
    content: Mapped[str | None] = mapped_column(String(64))
    #: the earlier job whose search this one's is
    answered_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    #: {"url", "events"}; apart from the submission, because a release that knows no webhooks reads
    #: that
    webhook: Mapped[dict[str, Any] | None]
    #: whether the webhook wants to know of it and has not been sent word
    start_untold: Mapped[bool] = mapped_column(server_default=false())
    end_untold: Mapped[bool] = mapped_column(server_default=false())
    #: the earlier job that the search starts from; apart from the submission, because a release
    #: that knows no such thing reads that
    from_job: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    #: {"trials", "sensitivities"}, counted, once they are
    taken: Mapped[dict[str, Any] | None]
    #: what evaluations depend on: network, images, metric, release, device
    ground: Mapped[dict[str, Any] | None]

    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"({_LIVE}) = (finished_at IS NULL)", name="finished"),
        CheckConstraint(f"({_LIVE}) = (claimable_at IS NOT NULL)", name="claimable"),
        CheckConstraint("state <> 'running' OR started_at IS NOT NULL", name="started"),
        CheckConstraint("state <> 'failed' OR error IS NOT NULL", name="cause"),
        CheckConstraint(
            "(state IN ('succeeded', 'infeasible')) = (result IS NOT NULL)", name="result"
        ),
        CheckConstraint("attempt >= 0 AND failures >= 0 AND trials >= 0", name="counts"),
        Index("ix_jobs_newest", "created_at", "id"),
        Index("ix_jobs_state_newest", "state", "created_at", "id"),
        Index("ix_jobs_tenant_newest", "tenant", "created_at", "id"),
        Index("ix_jobs_tenant_state_newest", "tenant", "state", "created_at", "id"),
    )


#: Jobs that a claim may take, now or later. Said by a column of no other index, so that neither
#: planner is tempted away from this one, and one that a renewed lease leaves alone.
LIVE = JobRow.finished_at.is_(None)

Index(
    "ix_jobs_claim",
    JobRow.priority.desc(),
    JobRow.created_at,
    JobRow.id,
    postgresql_where=LIVE,
    sqlite_where=LIVE,
)

_SUCCEEDED = text("state = 'succeeded'")

Index(
    "ix_jobs_content",
    JobRow.tenant,
    JobRow.content,
    JobRow.created_at,
    JobRow.id,
    postgresql_where=_SUCCEEDED,
    sqlite_where=_SUCCEEDED,
)

#: Jobs with an event that is yet to become a delivery; each index holds next to nothing.
START_UNTOLD = and_(JobRow.start_untold.is_(True), JobRow.started_at.is_not(None))
END_UNTOLD = and_(JobRow.end_untold.is_(True), JobRow.finished_at.is_not(None))

Index("ix_jobs_start_untold", JobRow.id, postgresql_where=START_UNTOLD, sqlite_where=START_UNTOLD)
Index("ix_jobs_end_untold", JobRow.id, postgresql_where=END_UNTOLD, sqlite_where=END_UNTOLD)


class StartRow(Base):
    """What a search starts from, kept before its first trial."""

    __tablename__ = "starts"

    job_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(JobRow.id, ondelete="CASCADE"), primary_key=True
    )
    #: as a worker writes it; null: the sampler asks for none
    sensitivity: Mapped[dict[str, Any] | None]


class LabelRow(Base):
    """One label of one job: what finds jobs by label, through one index on both databases."""

    __tablename__ = "labels"

    job_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(JobRow.id, ondelete="CASCADE"), primary_key=True
    )
    #: of key and value: any text of any length can be looked up
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: the job's, so that the index also sorts
    created_at: Mapped[float]
    #: the job's, so that an index also narrows; where a writer leaves them out, and whenever the
    #: job's change, triggers of the database see to both
    tenant: Mapped[str | None] = mapped_column(String(63))
    state: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (
        Index("ix_labels_newest", "digest", "created_at", "job_id"),
        Index("ix_labels_state_newest", "digest", "state", "created_at", "job_id"),
        Index("ix_labels_tenant_newest", "digest", "tenant", "created_at", "job_id"),
        Index("ix_labels_tenant_state_newest", "digest", "tenant", "state", "created_at", "job_id"),
        {"sqlite_with_rowid": False},
    )


class TrialRow(Base):
    """One recorded trial: counts of images, never shares."""

    __tablename__ = "trials"

    job_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(JobRow.id, ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin: Mapped[str]
    allocation: Mapped[dict[str, Any]]
    memory_bits: Mapped[int]
    images: Mapped[int]
    correct: Mapped[int]
    lost: Mapped[int]
    gained: Mapped[int]
    complete: Mapped[bool]
    #: at most 0 is satisfied; "constraint" alone is a word of SQL
    constraint_value: Mapped[float]
    seconds: Mapped[float]
    finished_at: Mapped[float]
    #: null where a release that knew no verdicts recorded the trial
    verdict: Mapped[str | None] = mapped_column(String(16))


class FrontRow(Base):
    """A trial on its job's Pareto front, with what decides whether the next one dominates it."""

    __tablename__ = "front"

    job_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    memory_bits: Mapped[int]
    correct: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(
            ["job_id", "number"], [TrialRow.job_id, TrialRow.number], ondelete="CASCADE"
        ),
        {"sqlite_with_rowid": False},
    )


class OfferRow(Base):
    """Something that some worker announced it can load."""

    __tablename__ = "catalog"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    details: Mapped[dict[str, Any]]
    announced_at: Mapped[float]
