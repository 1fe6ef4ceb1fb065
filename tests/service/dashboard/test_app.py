"""Optuna Dashboard as the service serves it: what it shows, and that it changes nothing."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from bottle import Route
from sqlalchemy import Engine
from sqlalchemy import MetaData
from sqlalchemy import create_engine
from sqlalchemy import select

from service.api.app import create_app
from service.dashboard.app import bottle_app
from service.dashboard.app import owns
from service.dashboard.storage import JobStorage
from service.dashboard.study_ids import study_id
from service.store.models import Base
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import MIXED_FRONT
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of

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
        methods = {route.method for route in ROUTES} | {"POST", "PUT", "PATCH", "DELETE", "ODD"}
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


class TestPages:
    def test_the_front_door_leads_to_the_dashboard(self, client: httpx.Client) -> None:
        answer = client.get("/")
        assert answer.status_code == 302
        page = client.get("/", follow_redirects=True)
        assert "/static/bundle.js" in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        # what its plots need
        assert "'unsafe-eval'" in page.headers["content-security-policy"]

    def test_files_are_served_to_whoever_states_no_encoding(self, client: httpx.Client) -> None:
        request = client.build_request("GET", "/static/bundle.js")
        del request.headers["accept-encoding"]
        answer = client.send(request)
        assert answer.status_code == 200
        assert len(answer.content) > 1_000_000

    def test_the_icon_is_an_icon(self, client: httpx.Client) -> None:
        assert client.get("/favicon.ico").content[:4] == b"\x00\x00\x01\x00"

    @pytest.mark.parametrize(
        "path", ["/api/nothing", "/static/nothing.js", "/static/../index.html", "/api/studies/7"]
    )
    def test_what_is_not_there_is_a_problem(self, client: httpx.Client, path: str) -> None:
        problem_of(client.get(path), status=404, code="not-found")


class TestStudies:
    def test_the_list_names_every_job(self, client: httpx.Client, lease: Lease) -> None:
        (study,) = client.get("/api/studies").json()["study_summaries"]
        assert study["study_id"] == study_id(lease.job_id)
        assert study["directions"] == ["minimize", "maximize"]

    def detail(self, client: httpx.Client, lease: Lease, after: int = 0) -> dict[str, Any]:
        url = f"/api/studies/{study_id(lease.job_id)}"
        found: dict[str, Any] = client.get(url, params={"after": after}).json()
        return found

    def test_its_best_trials_are_feasible(self, client: httpx.Client, lease: Lease) -> None:
        detail = self.detail(client, lease)
        assert [trial["number"] for trial in detail["best_trials"]] == MIXED_FRONT
        assert detail["objective_names"] == ["memory (KiB per image)", "accuracy"]
        states = [trial["state"] for trial in detail["trials"]]
        assert states == ["Complete"] * 3 + ["Pruned"] + ["Complete"] * 2

    def test_new_trials_show_at_the_next_look(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        self.detail(client, lease)
        deployment.record(engine, lease, deployment.trial(6, correct=881, bits=(1, 1, 1)))
        detail = self.detail(client, lease, after=6)
        assert [trial["number"] for trial in detail["trials"]] == [6]
        # as accurate as trial 5, in fewer bits
        assert [trial["number"] for trial in detail["best_trials"]] == [0, 1, 6]

    def test_a_queued_job_is_an_empty_study(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        detail = client.get(f"/api/studies/{study_id(job.id)}").json()
        assert (detail["trials"], detail["best_trials"]) == ([], [])

    @pytest.mark.parametrize("after", ["-1", "x", "²"])
    def test_a_senseless_start_is_refused(
        self, client: httpx.Client, lease: Lease, after: str
    ) -> None:
        url = f"/api/studies/{study_id(lease.job_id)}"
        assert client.get(url, params={"after": after}).status_code == 400

    def test_importances_and_spreadsheets_work(self, client: httpx.Client, lease: Lease) -> None:
        number = study_id(lease.job_id)
        importances = client.get(f"/api/studies/{number}/param_importances").json()
        assert len(importances["param_importances"]) == 2
        table = client.get(f"/csv/{number}").text.splitlines()
        assert len(table) == 7
        assert table[0].startswith("Number,State,memory (KiB per image),accuracy,")

    def test_the_server_draws_no_plots(self, client: httpx.Client, lease: Lease) -> None:
        assert client.get("/api/meta").json()["plotlypy_is_available"] is False
        number = study_id(lease.job_id)
        assert client.get(f"/api/studies/{number}/plot/contour").status_code == 404
