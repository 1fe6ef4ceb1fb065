"""Webhooks over HTTP: what may be asked for, what is refused, and what can be seen of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.options import Options
from service.store import deliveries
from service.store import jobs
from service.store.access import Scope
from service.store.webhooks import FINAL_EVENTS
from service.store.webhooks import Outcome
from tests.service.api import deployment
from tests.service.api import hooks
from tests.service.api.deployment import BODY
from tests.service.api.deployment import problem_of
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

URL = "https://ci.example.com/hook?key=hunter2"


@pytest.fixture
def hooked(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service that lets webhooks go to one host."""
    deployment.announce(engine)
    options = Options(webhook_hosts=hooks.HOSTS)
    with deployment.client_of(create_app(engine, options)) as client:
        yield client


def asking(url: str = URL, **more: Any) -> dict[str, Any]:
    return BODY | {"webhook": {"url": url, **more}}


class TestSubmit:
    def test_a_webhook_is_told_of_the_end_unless_it_says_otherwise(
        self, hooked: httpx.Client
    ) -> None:
        answer = hooked.post("/v1/jobs", json=asking())
        assert answer.status_code == 202
        expected = {"url": URL, "events": [event.value for event in FINAL_EVENTS]}
        assert answer.json()["webhook"] == expected
        shown = hooked.get(answer.headers["location"]).json()
        assert shown["webhook"] == expected
        assert hooked.get("/v1/jobs").json()["items"][0]["webhook"] == expected

    def test_events_come_back_as_they_were_asked_for(self, hooked: httpx.Client) -> None:
        job = hooked.post("/v1/jobs", json=asking(events=["failed", "started"])).json()
        assert job["webhook"]["events"] == ["failed", "started"]

    def test_without_one_there_is_none(self, hooked: httpx.Client) -> None:
        assert hooked.post("/v1/jobs", json=BODY).json()["webhook"] is None

    def test_a_service_without_hosts_says_what_to_do(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        answer = client.post("/v1/jobs", json=asking())
        problem = problem_of(answer, status=422, code="webhook-refused")
        (error,) = problem["errors"]
        assert error["field"] == "webhook.url"
        assert "BITFLOOR_WEBHOOK_HOSTS" in error["message"]
        assert "hunter2" not in answer.text
        assert jobs.page(engine).items == ()

    @pytest.mark.parametrize(
        "url",
        [
            "http://ci.example.com/hook",
            "https://evil.example/hunter2",
            "https://ci.example.com:8443/hunter2",
            "https://user:hunter2@ci.example.com/",
            "https://127.0.0.1/hunter2",
            "https://cı.example.com/hunter2",
            "javascript:hunter2",
        ],
    )
    def test_other_places_are_refused_without_repeating_the_url(
        self, hooked: httpx.Client, engine: Engine, url: str
    ) -> None:
        answer = hooked.post("/v1/jobs", json=asking(url))
        problem = problem_of(answer, status=422, code="webhook-refused")
        assert problem["errors"][0]["field"] == "webhook.url"
        assert "hunter2" not in answer.text
        assert jobs.page(engine).items == ()

    @pytest.mark.parametrize(
        "webhook, field",
        [
            ({}, "webhook.url"),
            ({"url": ""}, "webhook.url"),
            ({"url": 7}, "webhook.url"),
            ({"url": "https://ci.example.com/" + "a" * 2048}, "webhook.url"),
            ({"url": URL, "events": []}, "webhook.events"),
            ({"url": URL, "events": ["failed", "failed"]}, "webhook.events"),
            ({"url": URL, "events": ["paused"]}, "webhook.events.0"),
            ({"url": URL, "secret": "mine"}, "webhook.secret"),
            ([URL], "webhook"),
        ],
    )
    def test_what_is_no_webhook_is_told_by_field(
        self, hooked: httpx.Client, webhook: Any, field: str
    ) -> None:
        answer = hooked.post("/v1/jobs", json=BODY | {"webhook": webhook})
        problem = problem_of(answer, status=422, code="validation-failed")
        assert [error["field"] for error in problem["errors"]] == [field]


@pytest.fixture
def over(hooked: httpx.Client, engine: Engine) -> str:
    """Return where a delivery that was given up is sent again."""
    job = hooked.post("/v1/jobs", json=asking()).json()
    hooked.post(f"/v1/jobs/{job['id']}/cancel")
    told = hooks.tried(engine, Outcome(status=410, error="the receiver answered 410"))
    return f"{job['links']['deliveries']}/{told.id}/resend"


class TestResendDelivery:
    def test_it_is_due_at_once_under_the_same_id(
        self, hooked: httpx.Client, engine: Engine, over: str
    ) -> None:
        answer = hooked.post(over)
        assert answer.status_code == 202
        told = answer.json()
        assert (told["state"], told["tries"], told["status"]) == ("pending", 0, None)
        assert hooked.get(over.rsplit("/", 2)[0]).json()["items"] == [told]
        again = deliveries.claim(engine, lease_seconds=60)
        assert again is not None
        assert again[0].id == told["id"] == over.split("/")[-2]

    def test_while_it_is_pending_a_second_request_is_told_so(
        self, hooked: httpx.Client, over: str
    ) -> None:
        assert hooked.post(over).status_code == 202
        problem_of(hooked.post(over), status=409, code="delivery-pending")

    def test_a_token_that_only_reads_sends_nothing(
        self, hooked: httpx.Client, engine: Engine, over: str
    ) -> None:
        with locked(engine, webhook_hosts=hooks.HOSTS) as client:
            only_reads = token(engine, "default", scopes=frozenset({Scope.READ}))
            refused = client.post(over, headers=bearer(only_reads))
            problem_of(refused, status=403, code="scope-missing")
            may = token(engine, "default", scopes=frozenset({Scope.SUBMIT}))
            assert client.post(over, headers=bearer(may)).status_code == 202

    def test_what_is_no_delivery_of_the_job_is_not_found(
        self, hooked: httpx.Client, over: str
    ) -> None:
        other = hooked.post("/v1/jobs", json=asking() | {"seed": 9}).json()["links"]
        without = hooked.post("/v1/jobs", json=BODY | {"seed": 8}).json()["links"]
        delivery_id = over.split("/")[-2]
        for url in (
            over.replace(delivery_id, "msg_0"),
            f"{other['deliveries']}/{delivery_id}/resend",
            f"{without['deliveries']}/{delivery_id}/resend",
        ):
            problem_of(hooked.post(url), status=404, code="delivery-not-found")

    def test_a_host_that_is_no_longer_allowed_is_told(
        self, client: httpx.Client, engine: Engine, over: str
    ) -> None:
        problem_of(client.post(over), status=422, code="webhook-refused")
        assert deliveries.claim(engine, lease_seconds=60) is None


class TestListDeliveries:
    def test_before_anything_happened_there_are_none(self, hooked: httpx.Client) -> None:
        job = hooked.post("/v1/jobs", json=asking()).json()
        assert hooked.get(job["links"]["deliveries"]).json() == {"items": []}

    def test_it_tells_what_came_of_each_try(self, hooked: httpx.Client, engine: Engine) -> None:
        job = hooked.post("/v1/jobs", json=asking()).json()
        hooked.post(f"/v1/jobs/{job['id']}/cancel")
        claimed = deliveries.claim(engine, lease_seconds=60)
        assert claimed is not None
        why = "the receiver answered 503"
        deliveries.record(engine, claimed[0], Outcome(status=503, error=why), retry_in=15)
        answer = hooked.get(job["links"]["deliveries"])
        (told,) = answer.json()["items"]
        assert (told["event"], told["state"], told["tries"]) == ("cancelled", "pending", 1)
        assert (told["status"], told["error"], told["delivered_at"]) == (503, why, None)
        assert told["id"] == claimed[0].id
        assert told["last_try_at"] < told["next_try_at"]
        assert told["happened_at"] == hooked.get(job["links"]["self"]).json()["finished_at"]
        assert "hunter2" not in answer.text
