"""Queues of any length, filled by the database itself in one statement."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy import type_coerce

from benchmarks.chaos import requests
from benchmarks.chaos import work
from service.store.models import JobRow

#: a job's own; all else is alike
_STEP = 1e-6  # seconds by which each job is younger than the one before it


def fill(engine: Engine, length: int) -> None:
    """Queue that many equal jobs, each a copy of one that was submitted."""
    first = work.submit(engine, requests.spec(0, budget=1))
    numbers = select(literal(1).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < length - 1))
    own: dict[str, ColumnElement[Any]] = {
        "id": type_coerce(_drawn_id(engine), JobRow.id.type),
        "created_at": JobRow.created_at + numbers.c.number * _STEP,
    }
    columns = [own.get(column.name, column) for column in JobRow.__table__.columns]
    copies = select(*columns).select_from(JobRow).join(numbers, literal(value=True))
    names = [column.name for column in JobRow.__table__.columns]
    with engine.begin() as connection:
        if length > 1:
            connection.execute(insert(JobRow).from_select(names, copies.where(JobRow.id == first)))


def _drawn_id(engine: Engine) -> ColumnElement[Any]:
    """Return what draws an id, as each database keeps it."""
    if engine.dialect.name == "postgresql":
        return func.gen_random_uuid()
    return func.lower(func.hex(func.randomblob(16)))
