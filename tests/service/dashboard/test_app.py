"""Optuna Dashboard as the service serves it, and what it shows; tests/security has its writes."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.api.app import create_app
from service.dashboard.study_ids import study_id
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import MIXED_FRONT
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to the served application."""
    with client_of(create_app(engine)) as client:
        yield client


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

    def test_each_trial_has_a_note(self, client: httpx.Client, lease: Lease) -> None:
        detail = self.detail(client, lease, after=2)
        notes = {t["number"]: t["note"]["body"] for t in detail["trials"] + detail["best_trials"]}
        assert sorted(notes) == [0, 1, 2, 3, 4, 5]
        assert notes[0].startswith("**Held the floor**, on all 1,000 images: 0.10 points below")
        assert notes[3].startswith("**Missed the floor, after 64 of 1,000 images**: ")
        assert "Proposed by `tpe`; took 0.5 s." in notes[5]
        assert all(t["note"]["version"] for t in detail["trials"])

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
