"""Adds a job with its labels; on PostgreSQL by one statement, since each costs a round trip."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import uuid_utils
from sqlalchemy import Connection
from sqlalchemy import Executable
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite

from service.store import codec
from service.store import rows
from service.store import wakes
from service.store.access import DEFAULT_TENANT
from service.store.clock import db_now
from service.store.models import JobRow
from service.store.models import LabelRow
from service.store.values import Job
from service.store.values import JobState
from service.store.values import Submission
from service.store.webhooks import FINAL_EVENTS
from service.store.webhooks import Event

_JOBS: Table = JobRow.metadata.tables[JobRow.__tablename__]
_LABELS: Table = LabelRow.metadata.tables[LabelRow.__tablename__]
_QUEUED = JobState.QUEUED.value
#: parameters may not be called as columns are
_PREFIX = "its_"
_SAID = (
    "id",
    "tenant",
    "submission",
    "idempotency_digest",
    "priority",
    "from_job",
    "webhook",
    "start_untold",
    "end_untold",
)


def add(connection: Connection, submission: Submission) -> Job | None:
    """Return the job, queued, with its labels; None where its key is taken.

    On PostgreSQL workers that wait have word of it, once the transaction commits.
    """
    job_id = str(uuid_utils.uuid7())
    said = {f"{_PREFIX}{name}": value for name, value in _values(job_id, submission).items()}
    digests = [codec.digest(key, value) for key, value in submission.labels.items()]
    if connection.dialect.name == "postgresql":
        said |= {"digests": digests}
        found = connection.execute(_of_postgresql(), said).first()
    else:
        found = connection.execute(_of_sqlite(), said).first()
        if found is not None and digests:
            own = _label(job_id, submission.tenant, created_at=found.created_at)
            own |= {"state": _QUEUED}
            connection.execute(insert(_LABELS), [own | {"digest": one} for one in digests])
    return None if found is None else rows.queued(job_id, submission, created_at=found.created_at)


def key_digest(submission: Submission) -> str | None:
    """Return what stands for the submission's key, of its tenant, in the index."""
    key = submission.idempotency_key
    if key is None:
        return None
    # a release that knew no tenants digested the key alone
    own = () if submission.tenant == DEFAULT_TENANT else (submission.tenant,)
    return codec.digest(*own, key)


def _values(job_id: str, submission: Submission) -> Mapping[str, Any]:
    webhook = submission.webhook
    events = webhook.events if webhook else ()
    return {
        "id": job_id,
        "tenant": submission.tenant,
        "submission": codec.submission_document(submission),
        "idempotency_digest": key_digest(submission),
        "priority": submission.priority,
        "from_job": submission.from_job,
        "webhook": codec.webhook_document(webhook) if webhook else None,
        "start_untold": Event.STARTED in events,
        "end_untold": any(event in FINAL_EVENTS for event in events),
    }


def _label(job_id: Any, tenant: Any, *, created_at: Any) -> dict[str, Any]:
    return {"job_id": job_id, "created_at": created_at, "tenant": tenant}


def _set() -> dict[str, Any]:
    """Return what each column is set to."""
    said = {name: bindparam(f"{_PREFIX}{name}", type_=_JOBS.c[name].type) for name in _SAID}
    now = db_now()
    return {**said, "state": _QUEUED, "created_at": now, "claimable_at": now}


@cache
def _of_sqlite() -> Executable:
    added = sqlite.insert(_JOBS).values(_set())
    added = added.on_conflict_do_nothing(index_elements=[_JOBS.c.idempotency_digest])
    return added.returning(_JOBS.c.created_at)


@cache
def _of_postgresql() -> Executable:
    added = postgresql.insert(_JOBS).values(_set())
    added = added.on_conflict_do_nothing(index_elements=[_JOBS.c.idempotency_digest])
    job = added.returning(_JOBS.c.id, _JOBS.c.tenant, _JOBS.c.created_at).cte("job")
    digests = bindparam("digests", type_=postgresql.ARRAY(String))
    own = _label(job.c.id, job.c.tenant, created_at=job.c.created_at)
    own |= {"state": literal(_QUEUED, _LABELS.c.state.type)}
    labelled = insert(_LABELS).from_select(
        ["digest", *own], select(func.unnest(digests), *own.values())
    )
    told = func.pg_notify(wakes.CHANNEL, "")
    return select(job.c.created_at, told).add_cte(labelled.cte("labelled"))
