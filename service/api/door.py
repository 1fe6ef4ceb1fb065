"""Lets no request through without a principal that may make it, but for what is public."""

from collections.abc import Awaitable
from functools import partial
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.responses import Response
from starlette.types import ASGIApp
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api import problems
from service.api.credentials import READING
from service.api.credentials import Credentials
from service.api.credentials import address_of
from service.api.errors import ApiError
from service.api.errors import ScopeMissing
from service.api.errors import Unauthenticated
from service.api.options import Options
from service.api.rates import Rate
from service.store import access
from service.store.access import Principal
from service.store.errors import StoreError

#: answered to anybody: they tell nothing about jobs
PUBLIC = frozenset({"/livez", "/readyz", "/login", "/logout", "/docs", "/openapi.json"})
PUBLIC_FOLDER = "/docs/"
#: tell about all tenants at once
OPERATORS = frozenset({"/metrics"})

#: key of the scope's state under which routes find whom they work for
PRINCIPAL = "principal"


class Door:
    """ASGI middleware. A route that somebody adds is behind it before anybody thinks of that."""

    def __init__(self, app: ASGIApp, *, credentials: Credentials, options: Options) -> None:
        self._app = app
        self._credentials = credentials
        self._rate = Rate(options.requests_per_minute)

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on with its principal, or answer why not."""
        return self._answer(scope, receive, send=send)

    async def _answer(  # rule: async, because it awaits what it passes the request on to
        self, scope: Scope, receive: Receive, *, send: Send
    ) -> None:
        if scope["type"] != "http" or is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            admit = partial(self._admit, scope)
            # a thread only for what waits for the database
            asks = self._credentials.shown(scope)
            principal = await to_thread.run_sync(admit) if asks else admit()
        except (ApiError, StoreError) as error:
            await self._refusal(scope, error)(scope, receive, send)
            return
        scope.setdefault("state", {})[PRINCIPAL] = principal
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> Principal:
        principal = self._credentials.principal(scope)
        self._rate.count(principal.token_id or address_of(scope))
        needed = scope_of(scope["method"], scope["path"])
        if not principal.may(needed):
            raise ScopeMissing(needed)
        return principal

    def _refusal(self, scope: Scope, error: Exception) -> Response:
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if isinstance(error, Unauthenticated) and wants_page and scope["method"] in READING:
            return RedirectResponse(f"/login?next={quote(_target(scope), safe='')}", 303)
        return problems.of(error)


def is_public(path: str) -> bool:
    """Tell whether anybody may ask for it."""
    return path in PUBLIC or path.startswith(PUBLIC_FOLDER)


def scope_of(method: str, path: str) -> access.Scope:
    """Return the scope that a request needs."""
    if path in OPERATORS:
        return access.Scope.ADMIN
    return access.Scope.READ if method in READING else access.Scope.SUBMIT


def _target(scope: Scope) -> str:
    path, query = quote(scope["path"]), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
