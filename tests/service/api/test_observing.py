"""Every request leaves one line in the log and one span, and nothing in them that is not ours."""

import re
from collections.abc import Iterator
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.trace import StatusCode
from sqlalchemy import Engine
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api.app import create_app
from service.otel import OtelTracer
from tests.service.api import deployment
from tests.service.api.deployment import client_of

Lines = list[MutableMapping[str, Any]]
FORGED = "2026-01-01T00:00:00Z level=info event=forged"
FRESH = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Whatever the database: nothing of this depends on it."""
    return sqlite_url


@pytest.fixture
def logged() -> Iterator[Lines]:
    """Return what is logged, with what was bound to the request."""
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as lines:
        yield lines


@pytest.fixture
def spans(engine: Engine) -> Iterator[tuple[FastAPI, InMemorySpanExporter]]:
    """Return an application and where its spans go."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield create_app(engine, tracer=OtelTracer(provider)), exporter
    provider.shutdown()


def requests(lines: Lines) -> Lines:
    return [line for line in lines if line["event"] == "request"]


class TestLog:
    def test_a_request_is_one_line(
        self, client: httpx.Client, engine: Engine, logged: Lines
    ) -> None:
        job_id = deployment.enqueue(engine).id
        answer = client.get(f"/v1/jobs/{job_id}/trials?limit=3")
        (line,) = requests(logged)
        assert 0 < line.pop("seconds") < 60
        assert line == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "route": "/v1/jobs/{job_id}/trials",
            "path": f"/v1/jobs/{job_id}/trials",
            "status": 200,
            "job": job_id,
            "request_id": answer.headers["x-request-id"],
        }

    def test_what_a_client_keeps_secret_stays_so(self, client: httpx.Client, logged: Lines) -> None:
        client.post(
            "/v1/jobs?token=swordfish-1",
            headers={
                "Authorization": "Bearer swordfish-2",
                "Cookie": "session=swordfish-3",
                "X-Api-Key": "swordfish-4",
            },
            json=deployment.BODY | {"labels": {"a": "swordfish-5"}, "model": "swordfish-6"},
        )
        client.get("/v1/jobs/nothing?cursor=swordfish-7")
        assert len(requests(logged)) == 2
        assert "swordfish" not in str(logged)

    def test_a_path_cannot_forge_a_line(self, client: httpx.Client, logged: Lines) -> None:
        signs = ("%0A", "%0D%0A", "%00", "%1B[2J", "%E2%80%A8", "%C2%85")
        for sign in signs:
            client.get(f"/v1/jobs/x{sign}{FORGED}")
        assert len(requests(logged)) == len(signs)
        for line in requests(logged):
            assert line["path"].isascii()
            assert line["path"].isprintable()
            assert " " not in line["path"]
            assert "job" not in line

    def test_a_long_path_is_cut(self, client: httpx.Client, logged: Lines) -> None:
        client.get("/v1/" + "a" * 5000)
        assert len(requests(logged)[0]["path"]) <= 300

    def test_a_failure_is_told_with_the_requests_id_and_is_a_500(
        self, app: FastAPI, logged: Lines
    ) -> None:
        def fail() -> None:
            raise RuntimeError("it broke")

        app.add_api_route("/v1/fail", fail)
        with client_of(app) as client:
            answer = client.get("/v1/fail", headers={"X-Request-Id": "mine"})
        assert answer.headers.get_list("x-request-id") == ["mine"]
        (failed,) = [line for line in logged if line["event"] == "request failed"]
        (line,) = requests(logged)
        assert (line["status"], line["request_id"], failed["request_id"]) == (500, "mine", "mine")

    def test_the_stream_of_a_jobs_events_is_told_once_it_ends(
        self, client: httpx.Client, engine: Engine, logged: Lines
    ) -> None:
        job_id = deployment.enqueue(engine).id
        with client.stream("GET", f"/v1/jobs/{job_id}/events") as events:
            lines = events.iter_lines()
            next(lines)
            assert not requests(logged)
            client.post(f"/v1/jobs/{job_id}/cancel")
            assert "event: end" in list(lines)
        ended = [line for line in requests(logged) if line["route"].endswith("/events")]
        assert [(line["status"], line["job"]) for line in ended] == [(200, job_id)]


class TestRequestId:
    def test_a_plain_token_is_kept(self, client: httpx.Client) -> None:
        for said in ("a", "0199f3a2-5b7e-7c41", "A.b_c:d-9", "x" * 128):
            answer = client.get("/livez", headers={"X-Request-Id": said})
            assert answer.headers["x-request-id"] == said

    def test_anything_else_is_replaced(self, client: httpx.Client, logged: Lines) -> None:
        odd = ("", "a b", "-a", "a=b", 'a"b', "x" * 129, "a\tb", "\u00e4", "a,b")
        for said in odd:
            answer = client.get("/livez", headers=[(b"X-Request-Id", said.encode())])
            assert FRESH.fullmatch(answer.headers["x-request-id"]), said
            assert requests(logged)[-1]["request_id"] == answer.headers["x-request-id"]

    def test_two_of_them_are_none(self, client: httpx.Client) -> None:
        answer = client.get("/livez", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
        assert FRESH.fullmatch(answer.headers["x-request-id"])

    def test_every_answer_has_its_own(self, client: httpx.Client) -> None:
        paths = ("/livez", "/livez", "/v1/nothing", "/docs", "/dashboard", "/metrics")
        given = [client.get(path).headers["x-request-id"] for path in paths]
        assert len({*given}) == len(paths)


class TestSpans:
    def test_a_request_is_one_span_that_knows_its_job(
        self, spans: tuple[FastAPI, InMemorySpanExporter], engine: Engine
    ) -> None:
        app, exporter = spans
        deployment.announce(engine)
        job_id = deployment.enqueue(engine).id
        with client_of(app) as client:
            client.get(f"/v1/jobs/{job_id}?token=swordfish", headers={"Cookie": "a=swordfish"})
        (span,) = exporter.get_finished_spans()
        assert (span.name, span.kind) == ("GET /v1/jobs/{job_id}", SpanKind.SERVER)
        assert dict(span.attributes or {}) == {
            "http.request.method": "GET",
            "http.route": "/v1/jobs/{job_id}",
            "http.response.status_code": 200,
            "bitfloor.job.id": job_id,
        }
        assert span.status.status_code is StatusCode.UNSET
        assert "swordfish" not in span.to_json()

    def test_it_goes_on_with_the_callers_trace_and_the_log_names_it(
        self, spans: tuple[FastAPI, InMemorySpanExporter], logged: Lines
    ) -> None:
        app, exporter = spans
        trace_id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
        with client_of(app) as client:
            client.get("/livez", headers={"traceparent": f"00-{trace_id}-{parent}-01"})
        (span,) = exporter.get_finished_spans()
        assert ids(span) == (trace_id, parent)
        assert requests(logged)[0]["trace_id"] == trace_id

    def test_a_failure_of_ours_is_one_of_the_span_without_its_message(
        self, spans: tuple[FastAPI, InMemorySpanExporter], logged: Lines
    ) -> None:
        def fail() -> None:
            raise RuntimeError("swordfish")

        app, exporter = spans
        app.add_api_route("/v1/fail", fail)
        with client_of(app) as client:
            # the server hangs up after a failure
            client.get("/v1/fail", headers={"Connection": "close"})
            client.get("/v1/nothing")
        failed, unknown = exporter.get_finished_spans()
        assert failed.status.status_code is StatusCode.ERROR
        assert (failed.attributes or {})["error.type"] == "RuntimeError"
        assert "swordfish" not in failed.to_json()
        assert requests(logged)
        # the caller's mistake is no failure of the server
        assert unknown.status.status_code is StatusCode.UNSET


class TestOtherScopes:
    def test_what_is_no_request_passes(self, engine: Engine, logged: Lines) -> None:
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from prometheus_client import CollectorRegistry

        from service.api.observing import Observed
        from service.tracing import OFF

        seen: list[str] = []

        async def inner(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])

        async def nothing(*_: object) -> Any:
            return {}

        observed = Observed(inner, registry=CollectorRegistry(), tracer=OFF)

        async def start() -> None:
            await observed({"type": "lifespan"}, nothing, nothing)

        with ThreadPoolExecutor(1) as pool:  # in this thread a browser's loop may be running
            pool.submit(asyncio.run, start()).result()
        assert (seen, logged) == (["lifespan"], [])


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Return the ids of the span's trace and of its parent, as hex digits."""
    assert span.parent is not None
    return f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}"
