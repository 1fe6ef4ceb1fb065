"""Refuses bodies that are too large, whether their length was declared or not."""

from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api import problems


class BodyLimit:
    """ASGI middleware. FastAPI's own limit answers in plain text, past our problem documents."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on, counting what is read of its body."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._max_bytes:
            return problems.response(problems.TOO_LARGE, self._detail)(scope, receive, send)
        read = 0

        async def counted() -> Message:  # rule: async, because it has to see what was received
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise HTTPException(413, self._detail)
            return message

        return self._app(scope, counted, send)

    @property
    def _detail(self) -> str:
        return f"a body may have at most {self._max_bytes:,} bytes"
