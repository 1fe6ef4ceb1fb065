"""The load that the clients make: when requests are due, and that a wrong answer ends the run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from benchmarks.service_load.clients import Ask
from benchmarks.service_load.clients import Clients
from benchmarks.service_load.clients import Load
from benchmarks.service_load.clients import WrongAnswer
from benchmarks.service_load.clients import moments

PAUSE = 0.05  # seconds that the server takes for an answer


class Slow(BaseHTTPRequestHandler):
    """Answers every GET after the pause, and a POST as if it had created something."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(PAUSE)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Location", "/v1/jobs/7")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def slow() -> Iterator[Clients]:
    """Serve it, and connect to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Clients(f"http://127.0.0.1:{server.server_port}", headers={}, cpu=lambda: 0.0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestMoments:
    def test_arrivals_come_at_the_rate_whatever_time_it_is(self) -> None:
        due = [*moments(Load(requests=4000, rate=100.0), start=0.0)]
        assert len(due) == 4000
        assert due == sorted(due)
        assert due[-1] == pytest.approx(40.0, rel=0.1)

    def test_a_closed_loop_ends_after_its_time_but_sends_once(self) -> None:
        load = Load(requests=100, seconds=5.0)
        assert len([*moments(load, start=time.monotonic() - 6.0)]) == 1


class TestRun:
    def test_an_open_loop_counts_what_waits_for_a_free_connection(self) -> None:
        load = Load(requests=6, rate=10_000.0, connections=1)
        with slow() as clients:
            run = clients.run(lambda _: Ask(path="/"), load)
        assert len(run.latencies) == 6
        # all were due at once, and the last one had five before it
        assert max(run.latencies) >= 6 * PAUSE

    def test_a_closed_loop_counts_from_when_it_sends(self) -> None:
        with slow() as clients:
            run = clients.run(lambda _: Ask(path="/"), Load(requests=6, connections=1))
        assert min(run.latencies) >= PAUSE
        assert sum(run.latencies) <= run.seconds

    def test_what_was_created_is_told(self) -> None:
        ask = Ask(path="/", method="POST", body=b"{}", status=202)
        with slow() as clients:
            run = clients.run(lambda _: ask, Load(requests=3, connections=2))
        assert run.created == ("7",) * 3

    def test_another_status_ends_the_run(self) -> None:
        with slow() as clients, pytest.raises(WrongAnswer, match="GET /: 200, not 304"):
            clients.run(lambda _: Ask(path="/", status=304), Load(requests=1, connections=1))
