"""Hosts and origins: a page elsewhere can neither rebind a name to us nor make a browser post."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import create_engine

from service.api.app import create_app
from service.api.options import LOOPBACK_HOSTS
from service.api.options import Options
from service.api.origins import host_name
from tests.service.api import deployment
from tests.service.api.deployment import problem_of

ALLOWED = "https://tools.example"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Return a connection to a service on loopback that allows one other origin."""
    options = Options(allowed_hosts=LOOPBACK_HOSTS, cors_origins=(ALLOWED,))
    app = create_app(create_engine("sqlite://"), options)
    with deployment.client_of(app) as client:
        yield client


class TestHost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8765", "localhost", "LocalHost:1", "[::1]:8765", "127.0.0.1"]
    )
    def test_ones_own_names_are_answered_for(self, client: httpx.Client, host: str) -> None:
        assert client.get("/livez", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "127.0.0.1.evil.example",
            "evil.example:127",
            "localhost@evil.example",
            "[",
        ],
    )
    def test_others_are_not(self, client: httpx.Client, host: str) -> None:
        answer = client.get("/livez", headers={"Host": host})
        problem_of(answer, status=421, code="wrong-host")

    def test_a_host_has_one_spelling(self) -> None:
        assert host_name("EXAMPLE.org:80") == "example.org"
        assert host_name("[::1]") == "::1"
        assert host_name("a:b:c") == "a"


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    def test_a_page_of_another_origin_changes_nothing(
        self, client: httpx.Client, origin: str
    ) -> None:
        for path in ("/v1/jobs", "/v1/jobs/x/cancel", "/v1/jobs/x/priority", "/login", "/logout"):
            answer = client.post(path, headers={"Origin": origin})
            problem_of(answer, status=403, code="cross-origin")

    def test_ones_own_pages_may(self, client: httpx.Client) -> None:
        own = str(client.base_url).rstrip("/")
        answer = client.post("/v1/jobs", headers={"Origin": own})
        problem_of(answer, status=422, code="validation-failed")

    def test_an_allowed_origin_may_ask_beforehand(self, client: httpx.Client) -> None:
        asked = {
            "Origin": ALLOWED,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        answer = client.options("/v1/jobs", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "access-control-allow-credentials" not in answer.headers
        refused = client.options("/v1/jobs", headers={**asked, "Origin": "https://evil.example"})
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers

    def test_an_allowed_origin_may_post(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs", headers={"Origin": ALLOWED})
        assert answer.status_code == 422
        assert answer.headers["access-control-allow-origin"] == ALLOWED
