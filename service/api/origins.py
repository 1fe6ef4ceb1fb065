"""Refuses requests that name another host, and changes that a page of another origin asks for."""

from collections.abc import Awaitable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api import problems
from service.api.credentials import READING
from service.api.errors import CrossOrigin
from service.api.errors import WrongHost
from service.api.options import Options


class Origins:
    """ASGI middleware, for where no token is asked for: against DNS rebinding and forged forms."""

    def __init__(self, app: ASGIApp, *, options: Options) -> None:
        self._app = app
        self._hosts = options.allowed_hosts
        self._origins = frozenset(options.cors_origins)

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on, or answer why not."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts is not None and host_name(host) not in self._hosts:
            return problems.of(WrongHost(host))(scope, receive, send)
        changes = scope["method"] not in (*READING, "OPTIONS")
        # without `Origin` it was no page in a browser
        if changes and origin is not None and not self._ours(origin, host):
            return problems.of(CrossOrigin(origin))(scope, receive, send)
        return self._app(scope, receive, send)

    def _ours(self, origin: str, host: str) -> bool:
        return origin in self._origins or origin.partition("://")[2] == host


def host_name(host: str) -> str:
    """Return the header's host without its port, in lower case; "" for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
