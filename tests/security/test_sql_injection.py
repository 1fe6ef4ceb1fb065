"""SQL injection: whatever text a parameter carries, it is compared or refused, never run as SQL."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy import select

from service.api.app import create_app
from service.api.options import Options
from service.store import leases
from service.store.delivery_models import DeliveryRow
from service.store.models import Base
from tests.security.audited import requests
from tests.service.api import deployment
from tests.service.api import hooks

#: what would drop a table, match every row, or read what nobody asked for
INJECTIONS = (
    "'; DROP TABLE trials; DROP TABLE jobs; --",
    "') OR '1'='1' --",
    "x' UNION SELECT id, spec, state FROM jobs --",
    "\\'; $$; DROP TABLE jobs; $$ --",
)


def rows(engine: Engine) -> dict[str, list[str]]:
    """Return every row of every table."""
    with engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in Base.metadata.tables.items()
        }


def known(engine: Engine) -> list[tuple[str, str]]:
    """Return (job, delivery) of what was told."""
    with engine.connect() as connection:
        told = connection.execute(select(DeliveryRow.job_id, DeliveryRow.id))
        return [(job_id, delivery_id) for job_id, delivery_id in told]


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service with a finished job of a secret label."""
    deployment.announce(engine)
    said: dict[str, Any] = {"labels": {"team": "secret"}, "webhook": hooks.WEBHOOK}
    deployment.enqueue(engine, idempotency_key="secret", **said)
    lease = deployment.start(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    hooks.tried(engine)
    options = Options(webhook_hosts=hooks.HOSTS)
    with deployment.client_of(create_app(engine, options)) as client:
        yield client


@pytest.mark.parametrize("attack", INJECTIONS)
def test_no_parameter_is_run_as_sql(engine: Engine, client: httpx.Client, attack: str) -> None:
    before, tables = rows(engine), inspect(engine).get_table_names()
    (job_id, delivery_id), *_ = known(engine)
    for method, path, rest in requests(attack, {"job_id": job_id, "delivery_id": delivery_id}):
        answer = client.request(method, path, **rest)
        assert answer.status_code in {200, 202, 400, 404, 422}, (path, answer.text)
        if method == "GET":
            assert "secret" not in answer.text
    after = rows(engine)
    assert inspect(engine).get_table_names() == tables
    for table in ("trials", "deliveries"):
        assert after[table] == before[table]
    assert {*before["jobs"]} <= {*after["jobs"]}


@pytest.mark.parametrize("attack", INJECTIONS)
def test_what_may_be_stored_is_given_back_as_it_was_sent(client: httpx.Client, attack: str) -> None:
    header = {"Idempotency-Key": attack}
    sent = deployment.BODY | {"labels": {"note": attack}}
    answer = client.post("/v1/jobs", json=sent, headers=header)
    assert answer.status_code == 202
    found = client.get("/v1/jobs", params={"label": f"note:{attack}"}).json()["items"]
    assert [job["id"] for job in found] == [answer.json()["id"]]
    assert found[0]["labels"] == {"note": attack}
    again = client.post("/v1/jobs", json=sent, headers=header)
    assert (again.status_code, again.json()["id"]) == (200, found[0]["id"])
