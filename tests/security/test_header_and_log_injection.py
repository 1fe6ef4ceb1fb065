"""Header and log injection: CR and LF in what a request carries begin no line of anybody's."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
import structlog
from sqlalchemy import Engine

from service import logs
from service.api.app import create_app
from tests.rules.source import ROOT
from tests.security.raw import connected
from tests.security.raw import everything
from tests.service.api import deployment
from tests.service.api.deployment import BODY
from tests.service.api.deployment import problem_of

BREAKS = ["\r\nSet-Cookie: stolen=1", "\nSet-Cookie: stolen=1", "\rSet-Cookie: stolen=1"]
ENCODED = [
    "%0d%0aSet-Cookie:%20stolen=1",
    "%0aSet-Cookie:%20stolen=1",
    "%E5%98%8D%E5%98%8ASet-Cookie:%20a",
]


@pytest.fixture
def client(sqlite: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service with one job."""
    deployment.announce(sqlite)
    with deployment.client_of(create_app(sqlite)) as client:
        yield client


class TestHeaders:
    @pytest.mark.parametrize("attack", ENCODED)
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/jobs/{}",
            "/v1/jobs/{}/best",
            "/v1/jobs/{}/events",
            "/static/{}",
            "/dashboard/{}",
            "/{}",
        ],
    )
    def test_no_path_adds_a_header(self, client: httpx.Client, path: str, attack: str) -> None:
        answer = client.get(path.format(attack))
        assert "set-cookie" not in answer.headers
        assert "stolen" not in str(answer.headers)

    @pytest.mark.parametrize("attack", BREAKS)
    def test_no_label_and_no_key_adds_a_header(self, client: httpx.Client, attack: str) -> None:
        answer = client.post("/v1/jobs", json=BODY | {"labels": {"team": attack}})
        problem_of(answer, status=422, code="validation-failed")
        assert "stolen" not in str(answer.headers)
        found = client.get("/v1/jobs", params={"label": f"team:{attack}"})
        problem_of(found, status=422, code="validation-failed")

    @pytest.mark.parametrize(
        "name", ["Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-Request-Id"]
    )
    @pytest.mark.parametrize("attack", BREAKS[1:])
    def test_a_raw_break_in_a_header_is_no_http_or_another_header_of_the_request(
        self, client: httpx.Client, name: str, attack: str
    ) -> None:
        body = json.dumps(BODY)
        sent = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{name}: a{attack}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        with connected(str(client.base_url), sent.encode()) as raw:
            answer = everything(raw)
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert head.split(b" ")[1] in {b"400", b"202"}
        assert b"stolen" not in head
        assert b"set-cookie" not in head

    def test_the_location_is_made_of_our_own_id_alone(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs", json=BODY, headers={"Idempotency-Key": "/../evil"})
        assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"


class TestLogs:
    ATTACK = "a\nlevel=error event=forged\r\x1b[2Kforged\x85\u2028forged"

    def written(self, form: str) -> str:
        """Log a value that tries to begin a line of its own."""
        stream = io.StringIO()
        structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=logs.processors(form, terminal=False)
        ).warning("cannot serve", path=self.ATTACK, job=[self.ATTACK])
        return stream.getvalue()

    @pytest.mark.parametrize("form", ["console", "logfmt", "json"])
    def test_a_value_stays_on_its_line_and_moves_no_cursor(self, form: str) -> None:
        written = self.written(form)
        assert len(written.rstrip("\n").splitlines()) == 1
        assert "\x1b[2K" not in written
        assert "\\n" in written

    def test_a_traceback_keeps_its_lines_for_people(self) -> None:
        stream = io.StringIO()
        logger = structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=logs.processors("console", terminal=True)
        )
        try:
            int("wrong")
        except ValueError:
            logger.exception("failed")
        assert len(stream.getvalue().splitlines()) > 3

    def test_every_process_of_ours_logs_so(self) -> None:
        program = (
            "import structlog, sys; from service import logs; logs.to_stderr()\n"
            "structlog.get_logger().error('request failed', path=sys.argv[1])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, self.ATTACK],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
        )
        assert len(done.stderr.splitlines()) == 1
        assert "request failed" in done.stderr
