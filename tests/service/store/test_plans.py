"""The statements that run often go through the index that was made for them, on both databases."""

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event

from service.store import deliveries
from service.store import jobs
from service.store import leases
from service.store import session
from service.store.values import JobFilter
from service.store.values import JobState
from tests.conftest import opened
from tests.contracts.samples import LONG
from tests.contracts.samples import enqueue

Use = Callable[[Engine], object]

LABEL = {"label": ("team", "vision")}
STATE = {"state": JobState.QUEUED}
TENANT = {"tenant": "vision"}


def listing(**wanted: Any) -> Use:
    return lambda engine: jobs.page(engine, JobFilter(**wanted))


USES: dict[str, tuple[Use, str]] = {
    "listing": (listing(), "ix_jobs_newest"),
    "listing by state": (listing(**STATE), "ix_jobs_state_newest"),
    "listing by tenant": (listing(**TENANT), "ix_jobs_tenant_newest"),
    "listing by tenant and state": (listing(**TENANT, **STATE), "ix_jobs_tenant_state_newest"),
    "listing by label": (listing(**LABEL), "ix_labels_newest"),
    "listing by label and state": (listing(**LABEL, **STATE), "ix_labels_state_newest"),
    "listing by tenant and label": (listing(**TENANT, **LABEL), "ix_labels_tenant_newest"),
    "listing by tenant, label and state": (
        listing(**TENANT, **LABEL, **STATE),
        "ix_labels_tenant_state_newest",
    ),
    "claiming": (lambda engine: leases.claim(engine, lease_seconds=LONG), "ix_jobs_claim"),
    "looking for lapsed jobs to end": (leases.end_lapsed, "ix_jobs_state_newest"),
    "looking for starts to tell": (
        lambda engine: deliveries.claim(engine, lease_seconds=LONG),
        "ix_jobs_start_untold",
    ),
    "looking for ends to tell": (
        lambda engine: deliveries.claim(engine, lease_seconds=LONG),
        "ix_jobs_end_untold",
    ),
    "looking for what to deliver": (
        lambda engine: deliveries.claim(engine, lease_seconds=LONG),
        "ix_deliveries_open",
    ),
}


@pytest.fixture
def engine(blank_url: str) -> Iterator[Engine]:
    """Return an engine on a database of its own.

    What PostgreSQL has gathered about rows of other tests would decide which index it takes.
    """
    with opened(blank_url) as engine:
        session.migrate(engine)
        yield engine


@pytest.mark.parametrize("use", USES)
class TestPlan:
    def test_an_index_finds_and_sorts(self, engine: Engine, use: str) -> None:
        enqueue(engine)
        act, index = USES[use]
        found = plans(engine, act)
        assert [plan for plan in found if index in plan], found
        assert not [plan for plan in found if index in plan and "TEMP B-TREE" in plan]


def plans(engine: Engine, act: Use) -> list[str]:
    """Return how the database would carry out each statement that the act sends to it."""
    sent: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        sent.append((call[2], call[3]))

    event.listen(engine, "before_cursor_execute", note)
    act(engine)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        return [explained(connection, *one) for one in sent if one[0].startswith(("SEL", "UPD"))]


def explained(connection: Connection, statement: str, parameters: Any) -> str:
    if connection.dialect.name == "sqlite":
        explain = "EXPLAIN QUERY PLAN "
    else:
        explain = "EXPLAIN "
        # of so few rows, reading them all is the better plan
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
    return "\n".join(map(str, connection.exec_driver_sql(explain + statement, parameters)))
