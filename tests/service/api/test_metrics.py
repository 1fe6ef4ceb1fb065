"""What Prometheus reads: the queue as the database has it, requests by template, on its own."""

import time
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.snapshot import SHORTEST
from service.store import leases
from service.store import session
from tests.service.api import deployment
from tests.service.api.deployment import client_of

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series_of(families: Iterable[Metric]) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def scraped(client: httpx.Client) -> Series:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return series_of(text_string_to_metric_families(answer.text))


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((name, frozenset(labels.items())))


class TestQueue:
    def test_it_is_told_as_the_database_has_it(self, app: FastAPI, engine: Engine) -> None:
        ended = deployment.running(engine)
        deployment.record(engine, ended, *deployment.MIXED)
        leases.succeed(engine, ended, deployment.BEST_DOCUMENT)
        deployment.running(engine)
        deployment.enqueue(engine)
        with client_of(app) as client:
            found = scraped(client)
        assert value(found, "bitfloor_database_up") == 1
        by_state = {
            state: value(found, "bitfloor_jobs", state=state)
            for state in ("queued", "running", "succeeded", "infeasible", "failed", "cancelled")
        }
        assert list(by_state.values()) == [1, 1, 1, 0, 0, 0]
        assert value(found, "bitfloor_jobs_due") == 1
        assert 0 <= (value(found, "bitfloor_jobs_oldest_due_seconds") or 0) < 60
        assert value(found, "bitfloor_trials_total") == len(deployment.MIXED)
        images = sum(trial.hits.images for trial in deployment.MIXED)
        assert value(found, "bitfloor_images_evaluated_total") == images
        assert value(found, "bitfloor_job_claims_total") == 2

    def test_a_scrape_soon_after_another_asks_the_database_nothing(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        queued = 0
        while True:
            began = time.monotonic()
            before = scraped(client)
            deployment.enqueue(engine)
            after = scraped(client)
            if time.monotonic() - began < SHORTEST:
                break
            # it was not soon, for the machine is busy: once more, from a scrape that asks
            time.sleep(SHORTEST)
            queued += 1
        name = "bitfloor_jobs"
        assert value(before, name, state="queued") == value(after, name, state="queued") == queued

    def test_a_database_that_is_away_is_said_and_nothing_made_up(
        self, blank_sqlite_url: str
    ) -> None:
        engine = session.open_engine(blank_sqlite_url)
        engine.dispose()
        file = Path(str(engine.url.database))
        file.unlink()
        file.mkdir()
        with client_of(create_app(engine)) as client:
            found = scraped(client)
            again = scraped(client)
        assert value(found, "bitfloor_database_up") == 0
        assert not [name for name, _ in found if name.startswith("bitfloor_jobs")]
        # what is known without the database is told all the same
        requests = "bitfloor_http_requests_total"
        assert value(again, requests, method="GET", route="/metrics", status="200") == 1


class TestRequests:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """Whatever the database: nothing of this depends on it."""
        return sqlite_url

    def test_they_are_counted_by_template_and_never_by_path(self, client: httpx.Client) -> None:
        for number in range(5):
            client.get(f"/v1/jobs/{number}")
            client.get(f"/v1/nothing/{number}?token={number}")
            client.request(f"ODD{number}", f"/static/{number}")
        client.delete("/v1/jobs")
        client.get("/livez")
        found = scraped(client)
        name = "bitfloor_http_requests_total"
        counted = {key: count for (at, key), count in found.items() if at == name}
        assert {tuple(sorted(dict(key).items())): count for key, count in counted.items()} == {
            (("method", "GET"), ("route", "/v1/jobs/{job_id}"), ("status", "404")): 5,
            (("method", "GET"), ("route", "none"), ("status", "404")): 5,
            (("method", "other"), ("route", "dashboard"), ("status", "403")): 5,
            (("method", "DELETE"), ("route", "/v1/jobs"), ("status", "405")): 1,
            (("method", "GET"), ("route", "/livez"), ("status", "200")): 1,
        }
        took = "bitfloor_http_request_duration_seconds"
        labels = {"method": "GET", "route": "/v1/jobs/{job_id}"}
        assert value(found, f"{took}_count", **labels) == 5
        assert value(found, f"{took}_bucket", le="+Inf", **labels) == 5
        assert 0 < (value(found, f"{took}_sum", **labels) or 0) < 60
        assert value(found, "bitfloor_http_requests_in_progress") == 1  # the scrape itself

    def test_a_failure_of_ours_counts_as_one(self, app: FastAPI) -> None:
        def fail() -> None:
            raise RuntimeError("a secret")

        app.add_api_route("/v1/fail/{which}", fail)
        with client_of(app) as client, structlog.testing.capture_logs():
            # the server hangs up after a failure
            client.get("/v1/fail/this", headers={"Connection": "close"})
            found = scraped(client)
        route = "/v1/fail/{which}"
        name = "bitfloor_http_requests_total"
        assert value(found, name, method="GET", route=route, status="500") == 1

    def test_every_application_counts_for_itself(self, engine: Engine, app: FastAPI) -> None:
        with client_of(app) as client, client_of(create_app(engine)) as other:
            client.get("/livez")
            name, labels = "bitfloor_http_requests_total", {"method": "GET", "route": "/livez"}
            assert value(scraped(client), name, status="200", **labels) == 1
            assert value(scraped(other), name, status="200", **labels) is None

    def test_openmetrics_is_spoken_to_whom_it_suits(self, client: httpx.Client) -> None:
        accepted = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        answer = client.get("/metrics", headers={"Accept": accepted})
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        parse: Callable[[str], Iterable[Metric]] = openmetrics_parser.text_string_to_metric_families
        families = parse(answer.text)
        assert value(series_of(families), "bitfloor_database_up") == 1
