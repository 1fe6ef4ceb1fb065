"""Answers what no route of the API does: the dashboard where it may, a problem everywhere else."""

from collections.abc import Awaitable

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api.dashboards import Dashboards
from service.api.door import PRINCIPAL
from service.api.errors import DashboardIsReadOnly
from service.api.errors import UnknownRoute
from service.dashboard import paths
from service.store.access import Principal

_READING = ("GET", "HEAD")
_FIRST_ERROR = 400


class Fallback:
    """ASGI application: nothing but reads get through to the dashboard."""

    def __init__(self, dashboards: Dashboards) -> None:
        self._dashboards = dashboards

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Raise what the error table knows, or hand the request on."""
        path = scope["path"]
        if scope["type"] != "http" or not paths.owns(path):
            raise UnknownRoute(path)
        if scope["method"] not in _READING:
            raise DashboardIsReadOnly(scope["method"], path)
        return self._show(scope, receive, send=send)

    async def _show(  # rule: async, because it has to see how the dashboard answered
        self, scope: Scope, receive: Receive, *, send: Send
    ) -> None:
        """Let the dashboard answer, unless that would be an error in its own form."""
        status = 500

        async def held_back(message: Message) -> None:  # rule: async, because ASGI awaits it
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if status < _FIRST_ERROR:
                await send(message)

        principal: Principal = scope["state"][PRINCIPAL]
        # in a thread: the first one is loaded, which takes seconds
        dashboard = await to_thread.run_sync(self._dashboards.of, principal.sees)
        await dashboard(scope, receive, held_back)
        if status >= _FIRST_ERROR:
            raise HTTPException(status)
