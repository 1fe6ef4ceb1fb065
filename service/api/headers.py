"""Sets on every answer the headers that keep a browser from being talked into something."""

from collections.abc import Awaitable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#: JSON, events and problems load nothing.
NO_CONTENT = f"default-src 'none'; {_NOTHING_ELSE}"
#: Swagger UI styles its elements in place and draws its icons from data.
DOCS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    f"img-src 'self' data:; connect-src 'self'; font-src 'self' data:; {_NOTHING_ELSE}"
)
#: The form goes back to where it came from.
LOGIN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: The report carries its scripts within; in a sandbox they reach nothing of this service.
REPORT = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; "
    f"sandbox allow-scripts allow-downloads allow-popups; {_NOTHING_ELSE}"
)


class SecurityHeaders:
    """ASGI middleware; a policy that the answer already has is narrowed, not replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on and add to the answer's headers."""

        def with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                add(MutableHeaders(scope=message))
            return send(message)

        return self._app(scope, receive, with_headers)


def add(headers: MutableHeaders) -> None:
    """Set them on one answer."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    policy = headers.get("Content-Security-Policy", NO_CONTENT)
    if "frame-ancestors" not in policy:
        policy = f"{policy}; {_NOTHING_ELSE}"
    headers["Content-Security-Policy"] = policy
