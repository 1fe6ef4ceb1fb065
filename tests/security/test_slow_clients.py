"""Slow loris and its kin: whoever sends or reads slowly holds nothing but his own connection."""

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.connections import Limits
from service.api.options import Options
from service.settings import Settings
from tests.security.raw import connected
from tests.security.raw import everything
from tests.service.api import hosts
from tests.service.api.deployment import announce
from tests.service.api.deployment import problem_of
from tests.service.api.deployment import served
from tests.workers.processes import until

HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
BODY_HEAD = HEAD + b"Content-Length: 100000\r\n\r\n"
SLOW = 200  # connections

#: short enough to wait for, long enough not to be met by accident
SHORT = Limits(head_seconds=1.5, unread_seconds=1.5)
PATIENT = Limits(head_seconds=60.0, unread_seconds=60.0)


def alive(connection: socket.socket) -> None:
    """Read one whole answer of /livez."""
    answer = b""
    while not answer.endswith(b"}"):
        found = connection.recv(65536)
        assert found, "the connection is closed"
        answer += found
    assert answer.startswith(b"HTTP/1.1 200")


def assert_answered(address: str, *paths: str) -> None:
    """Assert that each is answered over new connections, the fastest of three within a second."""
    with httpx.Client(base_url=address, headers={"Connection": "close"}, timeout=20) as client:
        for path in paths:
            # three, for the machine may be busy with other tests
            answers = [client.get(path) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200] * 3
            assert min(answer.elapsed.total_seconds() for answer in answers) < 1.0


def trickled(connection: socket.socket, byte: bytes, *, seconds: float) -> bytes:
    """Send the byte every 50 ms until the server answers and closes; return what it sent."""
    end = time.monotonic() + seconds
    connection.settimeout(0.05)
    while time.monotonic() < end:
        try:
            connection.send(byte)
            found = connection.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            return b"closed"
        connection.settimeout(5)
        return found + everything(connection) if found else b"closed"
    return b""


class TestSlowRequests:
    @pytest.mark.parametrize("begun", [b"GET", b"GET /livez HTTP/1.1\r\nHost: here\r\nX: "])
    def test_a_head_that_trickles_is_cut_off(self, sqlite: Engine, begun: bytes) -> None:
        started = time.monotonic()
        with served(create_app(sqlite), SHORT) as address, connected(address, begun) as slow:
            answer = trickled(slow, b"a", seconds=10)
            assert SHORT.head_seconds < time.monotonic() - started < 10
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"content-type: application/problem+json" in answer
        assert b"urn:bitfloor:problem:request-too-slow" in answer

    def test_a_silent_connection_is_closed(self, sqlite: Engine) -> None:
        with served(create_app(sqlite), SHORT) as address, connected(address) as silent:
            assert silent.recv(1) == b""

    def test_a_second_head_on_one_connection_has_the_same_limit(self, sqlite: Engine) -> None:
        whole = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n"
        with served(create_app(sqlite), SHORT) as address, connected(address, whole) as slow:
            alive(slow)
            answer = trickled(slow, b"G", seconds=10)
        assert answer.startswith(b"HTTP/1.1 408")

    def test_a_body_that_trickles_is_cut_off_with_a_problem(self, sqlite: Engine) -> None:
        app = create_app(sqlite, Options(body_seconds=0.5))
        started = time.monotonic()
        with served(app, PATIENT) as address, connected(address, BODY_HEAD) as slow:
            answer = trickled(slow, b" ", seconds=10)
            assert 0.5 < time.monotonic() - started < 10
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        problem_of(
            httpx.Response(408, headers={"content-type": "application/problem+json"}, content=body),
            status=408,
            code="request-too-slow",
        )

    def test_chunks_buy_no_more_time(self, sqlite: Engine) -> None:
        app = create_app(sqlite, Options(body_seconds=0.5))
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        with served(app, PATIENT) as address, connected(address, head) as slow:
            answer = trickled(slow, b"1\r\n \r\n", seconds=10)
        assert answer.startswith(b"HTTP/1.1 408")

    def test_a_body_that_nobody_reads_ends_with_the_connection(self, sqlite: Engine) -> None:
        head = b"GET /livez HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n"
        with served(create_app(sqlite), SHORT) as address, connected(address, head) as slow:
            alive(slow)
            assert trickled(slow, b"x", seconds=10) == b"closed"

    def test_an_answer_that_nobody_reads_ends_with_the_connection(self, sqlite: Engine) -> None:
        bundle = b"GET /static/bundle.js HTTP/1.1\r\nHost: here\r\n\r\n"
        app = create_app(sqlite)
        with served(app, PATIENT) as address:
            whole = len(httpx.get(f"{address}/static/bundle.js", timeout=60).content)
        with hosts.own(app, SHORT) as host, connected(host.address, bundle * 8) as slow:
            slow.recv(1, socket.MSG_PEEK)
            until(lambda: host.connections == 0, seconds=20)
            assert len(everything(slow)) < 8 * whole

    def test_who_sends_in_time_is_served_however_it_is_cut(self, sqlite: Engine) -> None:
        announce(sqlite)
        body = b'{"model": "tiny", "dataset": "digits", "tolerance": 0.02}'
        sent = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        with served(create_app(sqlite), PATIENT) as address, connected(address) as careful:
            for byte in sent:
                careful.sendall(bytes([byte]))
            assert careful.recv(65536).startswith(b"HTTP/1.1 202")


class TestManySlowConnections:
    @pytest.mark.parametrize(
        "sent", [b"", b"GET /livez HTTP/1.1\r\nX: ", BODY_HEAD], ids=["silent", "heads", "bodies"]
    )
    def test_two_hundred_of_them_do_not_delay_a_request(self, engine: Engine, sent: bytes) -> None:
        with ExitStack() as stack:
            address = stack.enter_context(served(create_app(engine), PATIENT))
            slow = [stack.enter_context(connected(address, sent)) for _ in range(SLOW)]
            for connection in slow:
                connection.sendall(b" ")
            assert_answered(address, "/livez", "/v1/jobs", "/api/studies")

    def test_readers_that_stop_do_not_delay_the_api(self, engine: Engine) -> None:
        bundle = b"GET /static/bundle.js HTTP/1.1\r\nHost: here\r\n\r\n"
        with ExitStack() as stack:
            address = stack.enter_context(served(create_app(engine), PATIENT))
            for _ in range(20):
                stack.enter_context(connected(address, bundle))
            time.sleep(0.5)
            assert_answered(address, "/livez", "/v1/jobs")


class TestNumberOfConnections:
    LIMITS = Limits(head_seconds=60.0, max_connections=8)

    def test_of_too_many_the_one_that_waited_longest_goes(self, sqlite: Engine) -> None:
        with ExitStack() as stack:
            address = stack.enter_context(served(create_app(sqlite), self.LIMITS))
            slow = []
            for _ in range(8):
                slow.append(stack.enter_context(connected(address, b"GET /")))
                time.sleep(0.01)
            assert httpx.get(f"{address}/livez").status_code == 200
            answer = everything(slow[0])
            assert answer.startswith(b"HTTP/1.1 503 Service Unavailable")
            assert b"urn:bitfloor:problem:too-many-connections" in answer

    def test_a_flood_of_silence_keeps_nobody_out(self, sqlite: Engine) -> None:
        with ExitStack() as stack:
            address = stack.enter_context(served(create_app(sqlite), self.LIMITS))
            for _ in range(100):
                stack.enter_context(connected(address))
            with ThreadPoolExecutor(2) as pool:
                answers = pool.map(lambda _: httpx.get(f"{address}/livez", timeout=20), range(10))
                assert [answer.status_code for answer in answers] == [200] * 10

    def test_the_default_fits_into_the_files_a_process_may_open(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert Settings().max_connections == Limits().max_connections < min(soft, 1024) - 256


class TestMalformedRequests:
    @pytest.mark.parametrize(
        "sent",
        [b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /livez HTTP/1.1\r\nX\r\n\r\n"],
        ids=["binary", "version", "header"],
    )
    def test_what_is_no_http_is_a_problem_too(self, sqlite: Engine, sent: bytes) -> None:
        with served(create_app(sqlite), PATIENT) as address, connected(address, sent) as broken:
            answer = everything(broken)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"urn:bitfloor:problem:not-http" in answer

    def test_an_endless_header_is_refused_long_before_it_ends(self, sqlite: Engine) -> None:
        endless = b"GET /livez HTTP/1.1\r\nX: " + b"a" * 200_000
        with served(create_app(sqlite), PATIENT) as address, connected(address, endless) as broken:
            assert broken.recv(65536).startswith(b"HTTP/1.1 400")
