"""Writes through the dashboard: refused on every route that it has, and the database unchanged."""

import json
from collections.abc import Iterator

import httpx
import pytest
from bottle import Route
from sqlalchemy import Engine
from sqlalchemy import MetaData
from sqlalchemy import create_engine
from sqlalchemy import select

from service.api.app import create_app
from service.dashboard.app import bottle_app
from service.dashboard.paths import owns
from service.dashboard.storage import JobStorage
from service.dashboard.study_ids import study_id
from service.store.models import Base
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of

#: every method that is not a read, registered, merely known, or nobody's
WRITING = {
    *("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD", "PROXY"),
    *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"),
}
#: The dashboard's own table of routes: one that a later version adds is tested without a change.
ROUTES: list[Route] = bottle_app(JobStorage(create_engine("sqlite://"))).routes
EXAMPLES = {
    "<study_id:int>": "{study}",
    "<_:int>": "{study}",
    "<trial_id:int>": "1",
    "<history_id>": "1",
    "<plot_type>": "contour",
    "<_type>": "contour",
    "<artifact_id:re:[0-9a-fA-F-]+>": "0a1b",
    "<filename:path>": "bundle.js",
    "<:re:(/.*)?>": "/studies",
}


def url_of(route: Route, study: int) -> str:
    path = str(route.rule)
    for hole, example in EXAMPLES.items():
        path = path.replace(hole, example)
    assert "<" not in path, f"give an example for {route.rule}"
    return path.format(study=study)


@pytest.fixture
def lease(engine: Engine) -> Lease:
    """Return the lease of a running job with trials."""
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    return lease


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to the served application."""
    with client_of(create_app(engine)) as client:
        yield client


def contents(engine: Engine) -> str:
    """Return every row of every table."""
    metadata: MetaData = Base.metadata
    with engine.connect() as connection:
        rows = {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in metadata.tables.items()
        }
    return json.dumps(rows)


class TestReadOnly:
    def test_every_route_is_the_dashboards_and_not_ours(self) -> None:
        assert len(ROUTES) > 20
        for route in ROUTES:
            assert owns(url_of(route, 1)), route.rule
        for ours in ("/v1", "/v1/jobs", "/livez", "/readyz", "/docs", "/openapi.json"):
            assert not owns(ours)

    def test_every_method_that_could_write_is_refused_on_every_route(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        before = contents(engine)
        methods = {route.method for route in ROUTES} | WRITING
        for route in ROUTES:
            for method in sorted(methods - {"GET", "HEAD"}):
                url = url_of(route, study_id(lease.job_id))
                answer = client.request(method, url, json={"study_name": "mine"})
                found = problem_of(answer, status=403, code="dashboard-read-only")
                # where the dashboard's page looks for a sentence
                assert "read-only" in found["reason"]
        assert contents(engine) == before

    def test_reading_changes_nothing_either(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        before = contents(engine)
        for route in ROUTES:
            if route.method == "GET":
                client.get(url_of(route, study_id(lease.job_id)))
        assert contents(engine) == before

    @pytest.mark.parametrize(
        "spoof", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
    )
    def test_no_header_turns_a_read_into_a_write(
        self, client: httpx.Client, lease: Lease, spoof: str
    ) -> None:
        url = f"/api/studies/{study_id(lease.job_id)}"
        assert client.get(url, headers={spoof: "DELETE"}).json()["trials"]
