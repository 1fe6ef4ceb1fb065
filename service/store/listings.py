"""The statements that list jobs, one for each way to narrow a listing, each made once."""

from functools import cache
from typing import Any

from sqlalchemy import Select
from sqlalchemy import bindparam
from sqlalchemy import tuple_

from service.store import codec
from service.store import cursors
from service.store import rows
from service.store.models import JobRow
from service.store.models import LabelRow
from service.store.values import JobFilter


def listing(
    wanted: JobFilter, *, limit: int, cursor: str | None
) -> tuple[Select[*tuple[Any, ...]], dict[str, Any]]:
    """Return the query for up to `limit` outlines, newest first, and what it is to be sent with.

    Raises BadCursor.
    """
    said: dict[str, Any] = {"tenant": wanted.tenant, "state": wanted.state}
    narrowed = {name for name, value in said.items() if value is not None}
    said |= {"limit": limit}
    if wanted.label is not None:
        said |= {"digest": codec.digest(*wanted.label)}
        narrowed |= {"digest"}
    if cursor is not None:
        said["stamp"], said["last"] = cursors.job_key(cursor)
    return _statement(frozenset(narrowed), later=cursor is not None), {
        name: value for name, value in said.items() if value is not None
    }


@cache
def _statement(narrowed: frozenset[str], *, later: bool) -> Select[*tuple[Any, ...]]:
    """Return the query with a parameter for each column that narrows it.

    `later`: from behind the sort key on.
    """
    statement = rows.select_outlines()
    # the label's copies of what narrows and sorts, so that one index does all of it
    of: type[JobRow | LabelRow] = JobRow
    key = JobRow.created_at, JobRow.id
    if "digest" in narrowed:
        of, key = LabelRow, (LabelRow.created_at, LabelRow.job_id)
        statement = statement.join(LabelRow, LabelRow.job_id == JobRow.id)
    for name in sorted(narrowed):
        statement = statement.where(getattr(of, name) == bindparam(name))
    if later:
        last = bindparam("stamp", type_=key[0].type), bindparam("last", type_=key[1].type)
        statement = statement.where(tuple_(*key) < tuple_(*last))
    ordered = statement.order_by(*(column.desc() for column in key))
    return ordered.limit(bindparam("limit"))
