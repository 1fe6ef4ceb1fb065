"""The labels of a job that is being added, in one statement."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Select
from sqlalchemy import String
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import insert as inserting
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import ARRAY

from service.store import codec
from service.store.models import LabelRow
from service.store.values import JobState
from service.store.values import Submission


def insert(
    connection: Connection, job_id: str, *, submission: Submission, created_at: float
) -> None:
    """Add a row for each label of the submission, whose job is queued."""
    digests = [codec.digest(key, value) for key, value in submission.labels.items()]
    if not digests:
        return
    stamp = {
        "job_id": job_id,
        "created_at": created_at,
        "tenant": submission.tenant,
        "state": JobState.QUEUED.value,
    }
    if connection.dialect.name == "postgresql":
        # its driver sends rows apart, and waits for each of them
        names = [*stamp, "digest"]
        connection.execute(inserting(LabelRow).from_select(names, _rows(stamp, digests)))
    else:
        connection.execute(inserting(LabelRow), [stamp | {"digest": one} for one in digests])


def _rows(stamp: dict[str, Any], digests: list[str]) -> Select[*tuple[Any, ...]]:
    same = (literal(stamp[name], getattr(LabelRow, name).type).label(name) for name in stamp)
    each = func.unnest(cast(literal(digests, ARRAY(String)), ARRAY(String)))
    return select(*same, each)
