"""Real HTTP servers on ports of their own, lent to one application after another.

uvicorn takes a tenth of a second and more to stop, which a thousand tests would wait for.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api import connections
from service.api.connections import Limits
from service.cli import hosting

GRACE = 1  # whole seconds that what is under way gets to end


class Host:
    """A server that runs until it is ended, and the application that it is lent to."""

    def __init__(self, limits: Limits) -> None:
        self.app: FastAPI | None = None
        self._listener = hosting.listen("127.0.0.1", 0)
        config = uvicorn.Config(
            self._answer,
            # said, since it is not to be seen of a bound method
            interface="asgi3",
            http=connections.protocol(limits),
            log_level="critical",
            ws="none",
            # ours have nothing to do then, and come and go
            lifespan="off",
            timeout_graceful_shutdown=GRACE,
        )
        self._server = uvicorn.Server(config)
        # a daemon: those that are idle in the end need not be ended
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._server.server_state.connections)

    def vacated(self) -> bool:
        """Close the connections; tell whether nothing of the application is left."""
        deadline = time.monotonic() + GRACE
        while not self._server.started:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        state = self._server.server_state
        loop = self._server.servers[0].get_loop()
        loop.call_soon_threadsafe(lambda: [one.shutdown() for one in [*state.connections]])
        while state.connections or state.tasks:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        self.app = None
        return True

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None, "a request after its application's time"
        await self.app(scope, receive, send)


_idle: list[Host] = []


@contextmanager
def lent(app: FastAPI) -> Iterator[Host]:
    """Lend a server to the application; it goes to the next one unless something is left on it."""
    host = _idle.pop() if _idle else Host(Limits())
    host.app = app
    try:
        yield host
    finally:
        if host.vacated():
            _idle.append(host)
        else:
            host.end()


@contextmanager
def own(app: FastAPI, limits: Limits) -> Iterator[Host]:
    """Run a server with these limits for the application alone."""
    host = Host(limits)
    host.app = app
    try:
        yield host
    finally:
        host.end()
