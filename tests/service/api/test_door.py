"""The door: nobody gets in without a token that is good for what they want."""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine

from service.api.app import create_app
from service.api.door import OPERATORS
from service.api.door import is_public
from service.store import session
from service.store import tokens
from service.store.access import Scope
from tests.service.api import deployment
from tests.service.api.deployment import BODY
from tests.service.api.deployment import problem_of
from tests.service.api.doors import LOCKED
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

DOCUMENT: dict[str, Any] = create_app(create_engine("sqlite://")).openapi()
ROUTES = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if not is_public(path)
]
WELL_FORMED = f"bitfloor_{'0' * 16}_{'A' * 43}"
DASHBOARD = ["/", "/dashboard", "/api/studies", "/static/bundle.js", "/csv/1", "/nowhere"]


class TestWithoutAToken:
    def test_nothing_but_health_and_documentation_answers(self, engine: Engine) -> None:
        with locked(engine) as client:
            for method, path in [*ROUTES, *(("GET", path) for path in DASHBOARD)]:
                answer = client.request(method, re.sub(r"\{\w+\}", "x", path))
                problem_of(answer, status=401, code="unauthenticated")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            for path in ("/livez", "/readyz", "/docs", "/openapi.json", "/login"):
                assert client.get(path).status_code == 200, path

    def test_a_browser_is_sent_to_the_login(self, engine: Engine) -> None:
        with locked(engine) as client:
            answer = client.get("/dashboard/?a=1&b=2", headers={"Accept": "text/html,*/*"})
            assert answer.status_code == 303
            assert answer.headers["location"] == "/login?next=%2Fdashboard%2F%3Fa%3D1%26b%3D2"

    def test_an_open_service_answers_for_the_default_tenant(self, client: httpx.Client) -> None:
        job = client.post("/v1/jobs", json=BODY).json()
        assert job["tenant"] == "default"
        assert client.get(f"/v1/jobs/{job['id']}").status_code == 200


class TestWithAToken:
    def test_a_wrong_one_is_no_better_than_none(self, engine: Engine) -> None:
        good = token(engine)
        wrong: list[str | bytes] = [
            "Bearer",
            f"Basic {good}",
            f"Bearer {good[:-1]}",
            f"Bearer {'x' * 5_000}",
            f"Bearer {good}\u00e9".encode("latin-1"),
        ]
        with locked(engine) as client:
            for header in wrong:
                shown = header if isinstance(header, bytes) else header.encode()
                answer = client.get("/v1/jobs", headers={b"Authorization": shown})
                problem_of(answer, status=401, code="unauthenticated")
            assert client.get("/v1/jobs", headers=bearer(good)).status_code == 200

    def test_a_wrong_one_is_refused_where_none_is_asked_for(self, client: httpx.Client) -> None:
        answer = client.get("/v1/jobs", headers=bearer("bitfloor_x_y"))
        problem_of(answer, status=401, code="unauthenticated")

    def test_each_scope_allows_its_own(self, engine: Engine) -> None:
        reader = bearer(token(engine, scopes=frozenset({Scope.READ})))
        submitter = bearer(token(engine, scopes=frozenset({Scope.SUBMIT})))
        with locked(engine) as client:
            answer = client.post("/v1/jobs", json=BODY, headers=reader)
            assert problem_of(answer, status=403, code="scope-missing")["scope"] == "submit"
            assert client.post("/v1/jobs", json=BODY, headers=submitter).status_code == 202
            answer = client.get("/v1/jobs", headers=submitter)
            assert problem_of(answer, status=403, code="scope-missing")["scope"] == "read"
            for path in OPERATORS:
                answer = client.get(path, headers=reader)
                assert problem_of(answer, status=403, code="scope-missing")["scope"] == "admin"

    def test_a_revoked_one_is_refused_at_once(self, engine: Engine) -> None:
        shown = token(engine)
        with locked(engine) as client:
            assert client.get("/v1/jobs", headers=bearer(shown)).status_code == 200
            tokens.revoke(engine, shown.split("_")[1])
            assert client.get("/v1/jobs", headers=bearer(shown)).status_code == 401


class TestGuessing:
    def test_an_address_that_guesses_has_to_wait(self, engine: Engine) -> None:
        with locked(engine, guesses_per_minute=3) as client:
            for _ in range(3):
                assert client.get("/v1/jobs", headers=bearer("guess")).status_code == 401
            answer = client.get("/v1/jobs", headers=bearer("guess"))
            problem_of(answer, status=429, code="too-many-requests")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_a_good_token_is_good_whoever_guesses_beside_it(self, engine: Engine) -> None:
        good = token(engine)
        with locked(engine, guesses_per_minute=1) as client:
            statuses = [
                client.get("/v1/jobs", headers=bearer(shown)).status_code
                for shown in ("guess", "guess", good)
            ]
            assert statuses == [401, 429, 200]

    def test_a_caller_may_ask_only_so_often(self, engine: Engine) -> None:
        first, second = bearer(token(engine)), bearer(token(engine))
        with locked(engine, requests_per_minute=5) as client:
            statuses = [client.get("/v1/jobs", headers=first).status_code for _ in range(6)]
            assert statuses == [200] * 5 + [429]
            assert client.get("/v1/jobs", headers=second).status_code == 200


class TestDatabase:
    def test_a_database_that_is_away_is_told_as_elsewhere(self, blank_url: str) -> None:
        engine = session.open_engine(blank_url)
        with deployment.client_of(create_app(engine, LOCKED)) as client:
            answer = client.get("/v1/jobs", headers=bearer(WELL_FORMED))
            problem_of(answer, status=503, code="schema-outdated")
        engine.dispose()


class TestDocument:
    @pytest.mark.parametrize("method, path", ROUTES)
    def test_it_tells_what_each_route_asks_for(self, method: str, path: str) -> None:
        operation = DOCUMENT["paths"][path][method.lower()]
        (needed,) = operation["security"]
        assert needed["token"]
        assert {"401", "403", "429"} <= set(operation["responses"])

    def test_health_asks_for_nothing(self) -> None:
        assert "security" not in DOCUMENT["paths"]["/livez"]["get"]
