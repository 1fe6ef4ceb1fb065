"""Spans reach whom the OTEL_* variables name, and nobody where they name none."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer

import pytest

from service import tracing
from service.settings import TraceSettings

PROGRAM = """
from service import logs, tracing
from service.settings import TraceSettings

logs.to_stderr("logfmt")
tracer = tracing.open_tracer("bitfloor-test", wanted=TraceSettings().wanted)
with tracer.span("some work") as span:
    span.note({"bitfloor.job.id": "a-job"})
print(span.trace_id)
"""
WITHOUT_THE_EXTRA = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Serve what an OTLP collector does; yield its address and what it is sent."""
    sent: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ended(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


class TestOpenTracer:
    def test_spans_are_sent_to_the_endpoint_of_the_environment(self) -> None:
        with collector() as (address, sent):
            done = ended(PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT=address)
        assert len(done.stdout.strip()) == 32
        ((path, body),) = sent
        assert path == "/v1/traces"
        assert b"some work" in body
        assert b"a-job" in body
        assert b"bitfloor-test" in body

    def test_the_environments_name_of_the_service_goes_before(self) -> None:
        with collector() as (address, sent):
            ended(PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SERVICE_NAME="ours")
        assert b"ours" in sent[0][1]
        assert b"bitfloor-test" not in sent[0][1]

    def test_without_the_extra_it_says_what_to_install_and_goes_on(self) -> None:
        program = WITHOUT_THE_EXTRA + PROGRAM
        done = ended(program, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
        assert done.stdout.strip() == "None"
        assert "pip install 'bitfloor[otel]'" in done.stderr

    def test_without_an_endpoint_nothing_of_it_is_imported(self) -> None:
        done = ended(f"{PROGRAM}\nimport sys\nprint('opentelemetry.sdk' in sys.modules)")
        assert done.stdout.split() == ["None", "False"]
        assert not done.stderr

    def test_switched_off_every_span_is_the_same_one(self) -> None:
        tracer = tracing.open_tracer("x", wanted=False)
        assert tracer is tracing.OFF
        with tracer.span("a") as outer, tracer.span("b", headers={}) as inner:
            inner.rename("c")
            inner.fail("why")
        assert outer is inner


class TestTraceSettings:
    @pytest.mark.parametrize(
        "variables, wanted",
        [
            ({}, False),
            ({"EXPORTER_OTLP_ENDPOINT": ""}, False),
            ({"EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, True),
            ({"EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318/v1/traces"}, True),
            ({"EXPORTER_OTLP_ENDPOINT": "http://a:4318", "SDK_DISABLED": "True"}, False),
            ({"EXPORTER_OTLP_ENDPOINT": "http://a:4318", "TRACES_EXPORTER": "none"}, False),
        ],
    )
    def test_an_endpoint_turns_traces_on_unless_they_are_turned_off(
        self, monkeypatch: pytest.MonkeyPatch, *, variables: dict[str, str], wanted: bool
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"OTEL_{name}", value)
        assert TraceSettings().wanted is wanted
