"""The login: a token is shown once, in a form; from then on a cookie reads, and only reads."""

import time

import httpx
import pytest
from sqlalchemy import Engine

from service.api.credentials import COOKIE
from service.api.login import local
from service.store import tokens
from service.store.access import Scope
from tests.service.api.deployment import BODY
from tests.service.api.deployment import problem_of
from tests.service.api.doors import locked
from tests.service.api.doors import token


def sign_in(client: httpx.Client, shown: str, there: str = "/dashboard/") -> httpx.Response:
    return client.post("/login", data={"token": shown, "next": there})


class TestSigningIn:
    def test_a_token_opens_the_dashboard(self, engine: Engine) -> None:
        with locked(engine) as client:
            answer = sign_in(client, token(engine), "/dashboard/studies/7?x=1")
            assert answer.status_code == 303
            assert answer.headers["location"] == "/dashboard/studies/7?x=1"
            told = answer.headers["set-cookie"]
            assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {p.strip() for p in told.split(";")}
            assert client.get("/dashboard/").status_code == 200
            assert client.get("/v1/jobs").status_code == 200
            assert "You see the jobs of <b>vision</b>" in client.get("/login").text

    def test_the_cookie_is_for_encrypted_connections_where_there_is_one(
        self, engine: Engine
    ) -> None:
        with locked(engine) as client:
            # what a proxy on this machine says of its own client
            headers = {"X-Forwarded-Proto": "https"}
            answer = client.post("/login", data={"token": token(engine)}, headers=headers)
            assert "Secure" in answer.headers["set-cookie"]

    def test_a_session_changes_nothing(self, engine: Engine) -> None:
        with locked(engine) as client:
            sign_in(client, token(engine))
            answer = client.post("/v1/jobs", json=BODY)
            problem_of(answer, status=401, code="unauthenticated")

    @pytest.mark.parametrize("shown", ["", "guess", "<script>alert(1)</script>"])
    def test_a_wrong_token_is_told_so_and_not_repeated(self, engine: Engine, shown: str) -> None:
        with locked(engine) as client:
            answer = sign_in(client, shown, '"><script>')
            assert answer.status_code == 401
            assert "unknown, revoked or expired" in answer.text
            assert "<script>" not in answer.text
            assert COOKIE not in answer.cookies

    def test_a_token_that_may_not_read_sees_nothing(self, engine: Engine) -> None:
        with locked(engine) as client:
            answer = sign_in(client, token(engine, scopes=frozenset({Scope.SUBMIT})))
            assert answer.status_code == 403
            assert COOKIE not in answer.cookies

    def test_guesses_are_counted_here_too(self, engine: Engine) -> None:
        with locked(engine, guesses_per_minute=2) as client:
            statuses = [sign_in(client, "guess").status_code for _ in range(3)]
            assert statuses == [401, 401, 429]


class TestSigningOut:
    def test_the_session_ends_for_good(self, engine: Engine) -> None:
        with locked(engine) as client:
            sign_in(client, token(engine))
            kept = client.cookies[COOKIE]
            assert client.post("/logout").headers["location"] == "/login"
            assert COOKIE not in client.cookies
            client.cookies.set(COOKIE, kept)
            assert client.get("/v1/jobs").status_code == 401

    def test_it_ends_when_its_token_is_revoked(self, engine: Engine) -> None:
        shown = token(engine)
        with locked(engine) as client:
            sign_in(client, shown)
            tokens.revoke(engine, shown.split("_")[1])
            assert client.get("/v1/jobs").status_code == 401

    def test_it_runs_out(self, engine: Engine) -> None:
        with locked(engine, session_seconds=1) as client:
            sign_in(client, token(engine))
            kept = client.cookies[COOKIE]
            time.sleep(1.1)
            answer = client.get("/v1/jobs", headers={"Cookie": f"{COOKIE}={kept}"})
            problem_of(answer, status=401, code="unauthenticated")


class TestWhereTo:
    @pytest.mark.parametrize(
        "there",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "/\u202e",
            "",
        ],
    )
    def test_nowhere_else(self, there: str) -> None:
        assert local(there) == "/"

    def test_where_the_browser_came_from(self) -> None:
        assert local("/dashboard/studies/7?tab=trials#x") == "/dashboard/studies/7?tab=trials#x"
