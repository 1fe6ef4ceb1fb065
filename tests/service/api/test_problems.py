"""Whatever goes wrong is a problem document, and says nothing that is not meant for clients."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from search.errors import InvalidSpec
from service.api import problems
from service.api.app import create_app
from service.store import session
from tests.service.api.deployment import BODY
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of
from tests.service.fullness import full


class TestUnknownRoutes:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """Whatever the database: nothing of this reaches it."""
        return sqlite_url

    @pytest.mark.parametrize(
        "path",
        ["/v1", "/v1/", "/v1/nothing", "/v1/jobs/", "/v2/jobs", "/nothing", "/%00", "/docs/x"],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_nothing_answers_there(self, client: httpx.Client, *, method: str, path: str) -> None:
        problem_of(client.request(method, path), status=404, code="not-found")

    @pytest.mark.parametrize(
        "method, path, allowed",
        [
            ("DELETE", "/v1/jobs", {"GET", "POST"}),
            ("PUT", "/v1/jobs/x", {"GET"}),
            ("GET", "/v1/jobs/x/cancel", {"POST"}),
            ("POST", "/livez", {"GET"}),
        ],
    )
    def test_a_wrong_method_is_told_with_the_right_ones(
        self, client: httpx.Client, *, method: str, path: str, allowed: set[str]
    ) -> None:
        answer = client.request(method, path)
        problem_of(answer, status=405, code="method-not-allowed")
        assert set(re.split(r", ?", answer.headers["allow"])) == allowed


class TestDatabase:
    def test_an_unreachable_database_is_temporary_and_unnamed(self, blank_sqlite_url: str) -> None:
        engine = session.open_engine(blank_sqlite_url)
        engine.dispose()
        path = str(engine.url.database)
        _replace_by_folder(Path(path))
        with client_of(create_app(engine)) as client:
            for url in ("/readyz", "/v1/jobs", "/v1/models"):
                answer = client.get(url)
                found = problem_of(answer, status=503, code="database-unreachable")
                assert answer.headers["retry-after"]
                assert path not in found["detail"]
            assert client.get("/livez").status_code == 200
            problem_of(client.get("/api/studies"), status=500, code="internal-error")

    def test_a_database_of_another_version_is_told(self, blank_url: str) -> None:
        engine = session.open_engine(blank_url)
        try:
            with client_of(create_app(engine)) as client:
                problem_of(client.get("/readyz"), status=503, code="schema-outdated")
                problem_of(client.get("/v1/jobs"), status=503, code="schema-outdated")
        finally:
            engine.dispose()

    def test_a_submission_without_room_is_refused_and_goes_through_later(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        key, accepted = {"Idempotency-Key": "a"}, 0
        with full(engine):
            while (answer := client.post("/v1/jobs", json=BODY)).status_code == 202:
                accepted += 1
            problem_of(answer, status=503, code="database-full")
            assert int(answer.headers["retry-after"]) > 0
            assert str(engine.url.database) not in answer.text
            refused = client.post("/v1/jobs", json=BODY, headers=key)
            problem_of(refused, status=503, code="database-full")
            assert len(client.get("/v1/jobs?limit=500").json()["items"]) == accepted
        again = client.post("/v1/jobs", json=BODY, headers=key)
        assert again.status_code == 202
        assert len(client.get("/v1/jobs?limit=500").json()["items"]) == accepted + 1


class TestUnexpected:
    def test_a_failure_of_ours_shows_no_traceback(self, app: FastAPI) -> None:
        def fail() -> None:
            raise RuntimeError("a secret")

        app.add_api_route("/v1/fail", fail)
        with client_of(app) as client:
            answer = client.get("/v1/fail")
        problem_of(answer, status=500, code="internal-error")
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


class TestTable:
    def test_codes_are_kebab_case_and_each_means_one_thing(self) -> None:
        rows = [*problems.TABLE.values(), problems.NOT_JSON, problems.TOO_LARGE, problems.INTERNAL]
        meanings: dict[str, tuple[int, str]] = {}
        for row in rows:
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row.code)
            assert meanings.setdefault(row.code, (row.status, row.title)) == (row.status, row.title)

    def test_a_subclass_is_answered_as_its_parent(self) -> None:
        class Odd(InvalidSpec):
            pass

        assert problems.of(Odd("seed", "is odd")).status_code == 422


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/livez", "/v1/nothing", "/docs", "/dashboard", "/static/bundle.js", "/v1/jobs"]
    )
    def test_every_answer_guards_the_browser(self, client: httpx.Client, path: str) -> None:
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers

    def test_no_other_site_is_let_in(self, client: httpx.Client) -> None:
        headers = {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"}
        answer = client.options("/v1/jobs", headers=headers)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


class TestDocs:
    def test_everything_the_page_loads_is_here(self, client: httpx.Client) -> None:
        page = client.get("/docs")
        assert "http" not in page.text.replace("https://", "http://").split("</head>")[1]
        loaded = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert len(loaded) == 3
        for path in loaded:
            assert client.get(path).status_code == 200
        assert "SwaggerUIBundle" in client.get("/docs/swagger-ui-bundle.js").text


def _replace_by_folder(file: Path) -> None:
    # what the next connection meets cannot be opened
    file.unlink()
    file.mkdir()
