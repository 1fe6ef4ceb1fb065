"""SQL injection: whatever text a parameter carries, it is compared or refused, never run as SQL."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy import select

from service.api.app import create_app
from service.store.models import Base
from tests.security.audited import requests
from tests.service.api import deployment

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


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service with a finished job of a secret label."""
    deployment.announce(engine)
    deployment.enqueue(engine, labels={"team": "secret"}, idempotency_key="secret")
    lease = deployment.start(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    with deployment.client_of(create_app(engine)) as client:
        yield client


@pytest.mark.parametrize("attack", INJECTIONS)
def test_no_parameter_is_run_as_sql(engine: Engine, client: httpx.Client, attack: str) -> None:
    before, tables = rows(engine), inspect(engine).get_table_names()
    for method, path, rest in requests(attack):
        answer = client.request(method, path, **rest)
        assert answer.status_code in {200, 202, 400, 404, 422}, (path, answer.text)
        if method == "GET":
            assert "secret" not in answer.text
    after = rows(engine)
    assert inspect(engine).get_table_names() == tables
    assert after["trials"] == before["trials"]
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
