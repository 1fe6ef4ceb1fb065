"""Refuses bodies that take too long to arrive, however they are cut into pieces."""

from collections.abc import Awaitable

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send


class BodyDeadline:
    """ASGI middleware: one deadline for the whole body, from when it is first asked for."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on, timing what is read of its body."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        deadline = float("inf")
        complete = False

        async def timed() -> Message:  # rule: async, because it waits for what is received
            nonlocal deadline, complete
            if complete:  # what may follow is that the client leaves, and nobody has to
                return await receive()
            deadline = min(deadline, anyio.current_time() + self._seconds)
            with anyio.CancelScope(deadline=deadline) as patience:
                message = await receive()
            if patience.cancelled_caught:
                raise HTTPException(408, f"its body took more than {self._seconds:g} seconds")
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        return self._app(scope, timed, send)
