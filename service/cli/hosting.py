"""Keeps the API and, where there is one, the worker running until asked to stop."""

import errno
import signal
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.api import connections
from service.api.connections import Limits
from service.cli.children import KeptChild
from service.cli.errors import AddressUnusable
from service.cli.errors import PortTaken
from service.cli.errors import ServerStopped
from service.cli.output import say

TICK = 0.1  # seconds between two looks at children and signals
ANNOUNCE_INTERVAL = 0.5  # seconds between two looks whether all is up
GRACE = 10.0  # seconds to stop in before being ended
OPEN_STREAMS_GRACE = 2  # whole seconds that open event streams get to end
_LIMITS = Limits()


class StopSignals:
    """How often we were asked to stop: once is clean, twice is at once."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """Count one; a signal handler may do little more."""
        self.count += 1


class ApiThread:
    """The API in a thread of its own, so that signals and the child are the main thread's."""

    def __init__(
        self, app: FastAPI, listener: socket.socket, *, log_level: str, limits: Limits = _LIMITS
    ) -> None:
        config = uvicorn.Config(
            app,
            http=connections.protocol(limits),
            # through the standard library to our own log, which has a line for every request
            log_config=None,
            access_log=False,
            server_header=False,
            log_level=log_level,
            ws="none",
            timeout_graceful_shutdown=OPEN_STREAMS_GRACE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        self._why = "it gave no reason"

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def check(self) -> None:
        """Raise ServerStopped if it no longer runs."""
        if not self._thread.is_alive():
            raise ServerStopped(self._why)

    def ask_to_stop(self) -> None:
        """Let running requests end, and take no more."""
        self._server.should_exit = True

    def gone(self) -> bool:
        """Tell whether it has stopped."""
        return not self._thread.is_alive()

    def _run(self, listener: socket.socket) -> None:
        try:
            self._server.run(sockets=[listener])
        except (Exception, SystemExit) as error:  # noqa: BLE001  # told by check(), in the main thread
            self._why = str(error) or type(error).__name__


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 finds a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressUnusable(host, port, why=error.strerror or str(error)) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # listen now: of two starting at once, the second learns it here and not in its API
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise AddressUnusable(host, port, why=error.strerror or str(error)) from error
    return listener


def host_until_stopped(
    api: ApiThread, child: KeptChild | None, *, announce: Callable[[], bool]
) -> None:
    """Run both; `announce` is called now and then until it returns True.

    SIGTERM or SIGINT stops both cleanly, a second one at once; nothing is left running.

    Raises:
        ServerStopped: the API ended by itself.

    """
    with _stop_signals() as stop:
        try:
            api.start()
            _tend(api, child, stop=stop, announce=announce)
            say("stopping; once more stops at once")
            _stop(api, child, stop=stop)
        finally:
            if child:
                child.kill()


def _tend(
    api: ApiThread, child: KeptChild | None, *, stop: StopSignals, announce: Callable[[], bool]
) -> None:
    announced, look_again = False, 0.0
    while not stop.count:
        now = time.monotonic()
        api.check()
        told = child.tend(now) if child else None
        if told:
            say(told)
        if not announced and now >= look_again:
            announced, look_again = announce(), now + ANNOUNCE_INTERVAL
        time.sleep(TICK)


def _stop(api: ApiThread, child: KeptChild | None, *, stop: StopSignals) -> None:
    deadline = time.monotonic() + GRACE
    api.ask_to_stop()
    if child:
        child.ask_to_stop()
    while stop.count < 2 and time.monotonic() < deadline:  # noqa: PLR2004  # the second signal
        if api.gone() and (child is None or child.gone()):
            return
        time.sleep(TICK)


@contextmanager
def _stop_signals() -> Iterator[StopSignals]:
    stop = StopSignals()
    before = {
        number: signal.signal(number, stop.note) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
