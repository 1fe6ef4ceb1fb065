"""The clients: threads with a connection each, sending one request after another over loopback.

An open loop sends when a request is due, whether or not earlier ones were answered, and counts from
then: what waits for a free connection waits in the figure, too. A closed loop sends as soon as the
connection is free.
"""

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from http.client import HTTPConnection
from random import Random
from urllib.parse import urlsplit

from benchmarks.service_load.figures import Run

CONNECTIONS = 50
TIMEOUT = 60.0  # seconds; a request that takes longer ends the benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, and the status that it must be answered with."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


Asks = Callable[[Random], Ask]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many requests, over how many connections; `rate` of them a second, or a closed loop."""

    requests: int
    #: arrivals a second, at random and independent of one another; None: a closed loop
    rate: float | None = None
    #: a closed loop begins no request after so many seconds
    seconds: float = 30.0
    connections: int = CONNECTIONS


class WrongAnswer(Exception):
    """The service answered with another status than the one it must."""

    def __init__(self, ask: Ask, status: int, *, body: bytes) -> None:
        super().__init__(f"{ask.method} {ask.path}: {status}, not {ask.status}: {body[:300]!r}")


class Turns:
    """Hands out the moments at which requests are due, each once; shared between threads."""

    def __init__(self, moments: Iterator[float]) -> None:
        self._moments = moments
        self._lock = threading.Lock()

    def take(self) -> float | None:
        """Return the next moment of the monotonic clock; None: there are no more."""
        with self._lock:
            return next(self._moments, None)


def moments(load: Load, start: float) -> Iterator[float]:
    """Yield when each request is due; in a closed loop, now."""
    draws = Random(0)  # noqa: S311 - no secret
    due = start
    for number in range(load.requests):
        if load.rate is not None:
            due += draws.expovariate(load.rate)
            yield due
        # once at least: a busy machine may take the whole time to start the clients
        elif (now := time.monotonic()) < start + load.seconds or number == 0:
            yield now


class Clients:
    """The connections to one server."""

    def __init__(
        self, address: str, *, headers: Mapping[str, str], cpu: Callable[[], float]
    ) -> None:
        self._host = urlsplit(address).netloc
        self._headers = headers
        self._cpu = cpu

    def run(self, asks: Asks, load: Load) -> Run:
        """Send the requests and wait for all answers; raise WrongAnswer or what a client met."""
        before, spent, start = self._cpu(), time.process_time(), time.monotonic()
        turns = Turns(moments(load, start))
        seats = [_Seat(self._host, self._headers, seed=n) for n in range(load.connections)]
        threads = [threading.Thread(target=seat.sit, args=(turns, asks)) for seat in seats]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for seat in seats:
            if seat.failure is not None:
                raise seat.failure
        return Run(
            latencies=[one for seat in seats for one in seat.latencies],
            seconds=time.monotonic() - start,
            server_cpu=self._cpu() - before,
            client_cpu=time.process_time() - spent,
            created=tuple(one for seat in seats for one in seat.created),
        )


class _Seat:
    """One client with its connection."""

    def __init__(self, host: str, headers: Mapping[str, str], *, seed: int) -> None:
        self._connection = HTTPConnection(host, timeout=TIMEOUT)
        self._headers = headers
        self._draws = Random(seed)  # noqa: S311 - no secret
        self.latencies: list[float] = []
        self.created: list[str] = []
        self.failure: Exception | None = None

    def sit(self, turns: Turns, asks: Asks) -> None:
        """Send whatever falls due."""
        try:
            self._connection.connect()
            while (due := turns.take()) is not None:
                time.sleep(max(0.0, due - time.monotonic()))
                self._send(asks(self._draws))
                self.latencies.append(time.monotonic() - due)
        except Exception as error:  # noqa: BLE001 - told by run(), in the main thread
            self.failure = error
        finally:
            self._connection.close()

    def _send(self, ask: Ask) -> None:
        headers = {**self._headers, **ask.headers}
        self._connection.request(ask.method, ask.path, body=ask.body, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != ask.status:
            raise WrongAnswer(ask, answer.status, body=body)
        location = answer.getheader("Location")
        if location is not None:
            self.created.append(location.rpartition("/")[2])
