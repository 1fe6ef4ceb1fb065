"""Tenants: to each of them, only its own jobs exist, at every route there is."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine

from service.api.app import create_app
from service.api.present import links
from service.store import deliveries
from service.store import leases
from service.store import quotas
from service.store.access import Quota
from service.store.access import Scope
from service.store.values import Job
from tests.service.api import deployment
from tests.service.api import hooks
from tests.service.api.deployment import BODY
from tests.service.api.deployment import problem_of
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

APP = create_app(create_engine("sqlite://"))
DOCUMENT: dict[str, Any] = APP.openapi()
#: from the document, so that a route that somebody adds is tried too
OF_A_JOB = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if "{job_id}" in path
]
#: what can be read without naming a job
OF_NO_JOB = [path for path, methods in DOCUMENT["paths"].items() if "get" in methods]
OF_NO_JOB = [path for path in OF_NO_JOB if "{" not in path]
#: routes that the document leaves out, and that tell nothing of jobs
HIDDEN = {
    "/login",
    "/logout",
    "/docs",
    "/docs/start.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/openapi.json",
}


def paths_of(routes: Iterable[Any]) -> Iterator[str]:
    """Yield the path of every route, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route.path
        else:
            yield from paths_of(included.routes)


@pytest.fixture
def theirs(engine: Engine) -> Job:
    """Return a finished job of tenant audio, with all there can be to see of one."""
    labels = {"team": "x", "kept": "within"}
    said: dict[str, Any] = {"tenant": "audio", "labels": labels, "webhook": hooks.WEBHOOK}
    job = deployment.enqueue(engine, **said)
    lease = deployment.start(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    hooks.tried(engine)
    return job


@pytest.fixture
def client(engine: Engine, theirs: Job) -> Iterator[httpx.Client]:
    """Return a connection to a service that asks for tokens, shows none, and knows `theirs`."""
    with locked(engine, webhook_hosts=hooks.HOSTS) as client:
        yield client


class TestJobs:
    def test_there_are_routes_to_try(self) -> None:
        assert len(OF_A_JOB) >= 7

    @pytest.mark.parametrize("method, path", OF_A_JOB)
    def test_no_route_knows_a_job_of_another_tenant(
        self, engine: Engine, client: httpx.Client, theirs: Job, method: str, path: str
    ) -> None:
        (delivery,) = deliveries.of_job(engine, theirs.id)
        # a parameter that somebody adds is a KeyError here, and needs one that is theirs
        url = path.format(job_id=theirs.id, delivery_id=delivery.id)
        stranger = client.request(method, url, headers=bearer(token(engine, "vision")))
        missing = client.request(
            method,
            url.replace(theirs.id, theirs.id[:-1] + ("0" if theirs.id[-1] != "0" else "1")),
            headers=bearer(token(engine, "audio")),
        )
        problem = problem_of(stranger, status=404, code="job-not-found")
        assert deliveries.of_job(engine, theirs.id) == (delivery,)
        # told apart from a job that never was by nothing but its id
        assert {**missing.json(), "detail": ""} == {**problem, "detail": ""}
        owner = client.request(method, url, headers=bearer(token(engine, "audio")))
        operator = bearer(token(engine, "ops", scopes=frozenset({Scope.ADMIN})))
        assert owner.status_code != 404
        again = client.request(method, url, headers=operator)
        # what the owner has asked for already is not done twice
        assert again.status_code in {owner.status_code, 409}

    def test_every_route_is_in_the_document_or_known_to_tell_of_no_job(self) -> None:
        assert {*paths_of(APP.routes)} == {*DOCUMENT["paths"]} | HIDDEN

    @pytest.mark.parametrize("path", OF_NO_JOB)
    def test_what_names_no_job_tells_nothing_of_another_tenants(
        self, engine: Engine, client: httpx.Client, theirs: Job, path: str
    ) -> None:
        answer = client.get(path, headers=bearer(token(engine, "vision")))
        assert answer.status_code in {200, 403}
        for secret in (theirs.id, "audio", "within", hooks.WEBHOOK.url):
            assert secret not in answer.text

    def test_a_listing_holds_ones_own(self, engine: Engine, client: httpx.Client) -> None:
        own = bearer(token(engine, "vision"))
        job = client.post("/v1/jobs", json=BODY, headers=own).json()
        assert job["tenant"] == "vision"
        for asked in ({}, {"state": "succeeded"}, {"label": "team:x"}):
            found = client.get("/v1/jobs", params=asked, headers=own).json()["items"]
            assert [one["id"] for one in found] == ([] if asked else [job["id"]])
        everything = bearer(token(engine, "ops", scopes=frozenset({Scope.ADMIN})))
        assert len(client.get("/v1/jobs", headers=everything).json()["items"]) == 2

    def test_a_cursor_of_another_tenant_leads_to_nothing_of_theirs(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        for _ in range(2):
            deployment.enqueue(engine, tenant="audio")
        first = client.get("/v1/jobs?limit=1", headers=bearer(token(engine, "audio"))).json()
        asked = {"cursor": first["next"]}
        answer = client.get("/v1/jobs", params=asked, headers=bearer(token(engine, "vision")))
        assert answer.json()["items"] == []

    def test_idempotency_keys_are_each_tenants_own(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        ids = set()
        for tenant in ("vision", "audio", "default"):
            headers = {**bearer(token(engine, tenant)), "Idempotency-Key": "release-7"}
            answers = [client.post("/v1/jobs", json=BODY, headers=headers) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [202, 200]
            ids |= {answer.json()["id"] for answer in answers}
        assert len(ids) == 3


class TestDashboard:
    def test_it_shows_ones_own_studies(
        self, engine: Engine, client: httpx.Client, theirs: Job
    ) -> None:
        own = deployment.enqueue(engine, tenant="vision")
        seen = {}
        for tenant in ("vision", "audio"):
            found = client.get("/api/studies", headers=bearer(token(engine, tenant))).json()
            seen[tenant] = [one["study_name"] for one in found["study_summaries"]]
        assert len(seen["vision"]) == len(seen["audio"]) == 1
        assert own.id[-8:] in seen["vision"][0]
        assert theirs.id[-8:] in seen["audio"][0]

    def test_a_study_of_another_tenant_is_not_found_by_its_number(
        self, engine: Engine, client: httpx.Client, theirs: Job
    ) -> None:
        study = links(theirs.id).dashboard.rpartition("/")[2]
        for path in (f"/api/studies/{study}", f"/csv/{study}"):
            assert client.get(path, headers=bearer(token(engine, "vision"))).status_code >= 400
            assert client.get(path, headers=bearer(token(engine, "audio"))).status_code == 200


class TestQuota:
    def test_beyond_it_a_submission_is_refused(self, engine: Engine, client: httpx.Client) -> None:

        quotas.put(engine, Quota(tenant="vision", queued_jobs=1))
        own = bearer(token(engine, "vision"))
        assert client.post("/v1/jobs", json=BODY, headers=own).status_code == 202
        refused = client.post("/v1/jobs", json=BODY, headers=own)
        problem = problem_of(refused, status=429, code="quota-exceeded")
        assert (problem["quota"], problem["limit"]) == ("queued_jobs", 1)
