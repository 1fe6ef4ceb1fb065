"""Every request in the log, the metrics and the traces: one line, one count, one span."""

import time
from collections.abc import Awaitable
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import structlog
from prometheus_client import CollectorRegistry
from starlette.datastructures import Headers
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send
from structlog.typing import FilteringBoundLogger

from service.api import request_ids
from service.api.door import PRINCIPAL
from service.api.http_metrics import HttpMetrics
from service.dashboard import paths
from service.store.access import Principal
from service.store.cursors import is_job_id
from service.tracing import Span
from service.tracing import Tracer

#: who answered where no route did; no template looks like these
DASHBOARD = "dashboard"
NO_ROUTE = "none"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_OTHER = "other"
_LONGEST_PATH = 300  # signs
_FAILURES = 500

_log = structlog.get_logger(__name__)


class Observed:
    """ASGI middleware, to be the outermost.

    It tells nothing that a caller sent but the method, the path, the job and the request's id:
    no query, no header, no body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        registry: CollectorRegistry,
        tracer: Tracer,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` is in seconds and only goes forward."""
        self._app = app
        self._metrics = HttpMetrics(registry)
        self._tracer = tracer
        self._clock = clock

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on, and tell of it once its answer has ended."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._observe(scope, receive, send=send)

    async def _observe(  # rule: async, because it has to see how the answer ended
        self, scope: Scope, receive: Receive, *, send: Send
    ) -> None:
        with self._tracer.span(method_of(scope), headers=Headers(scope=scope)) as span:
            bound = {"request_id": request_ids.assign(scope)}
            if span.trace_id:
                bound["trace_id"] = span.trace_id
            # cleared here and not at the end: what answers for us after a failure logs too
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(**bound)
            # bound once more: the dashboard's last words come from a thread without this context
            log = _log.bind(**bound)
            tell = partial(self._tell, scope, span=span, log=log)
            answer = _Answer(scope, send, clock=self._clock, tell=tell)
            self._metrics.in_progress.inc()
            try:
                await self._app(scope, receive, answer.send)
            finally:
                answer.end()

    def _tell(
        self, scope: Scope, answer: "_Answer", *, span: Span, log: FilteringBoundLogger
    ) -> None:
        self._metrics.in_progress.dec()
        method, route, status = method_of(scope), route_of(scope), answer.status
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(answer.latency())
        asked = str(scope.get("path_params", {}).get("job_id", ""))
        job = asked if is_job_id(asked) else None
        span.rename(f"{method} {route}")
        span.note({"http.request.method": method, "http.route": route})
        span.note({"http.response.status_code": status})
        if job:
            span.note({"bitfloor.job.id": job})
        if status >= _FAILURES:
            span.fail(str(status))
        log.info(
            "request",
            method=method,
            route=route,
            path=path_of(scope),
            status=status,
            seconds=round(answer.seconds(), 6),
            **({"job": job} if job else {}),
            **_caller(scope),
        )


def _caller(scope: Scope) -> dict[str, str]:
    principal: Principal | None = scope.get("state", {}).get(PRINCIPAL)
    if principal is None or principal.token_id is None:
        return {}
    # the token's id, which is no secret: it is what `bitfloor token revoke` takes
    return {"tenant": principal.tenant, "token": principal.token_id}


class _Answer:
    """What is seen of an answer while it is sent; without any, it is the failure it looks like."""

    def __init__(
        self,
        scope: Scope,
        send: Send,
        *,
        clock: Callable[[], float],
        tell: Callable[["_Answer"], None],
    ) -> None:
        """`tell` is called once, before the caller has the last of the answer."""
        self.status = _FAILURES
        self._tell: Callable[[_Answer], None] | None = tell
        self._scope = scope
        self._send = send
        self._clock = clock
        self._asked = clock()
        self._began: float | None = None

    def send(self, message: Message) -> Awaitable[None]:
        """Send on, with the request's id among the headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._began = self._clock()
            request_ids.add(MutableHeaders(scope=message), self._scope)
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self.end()
        return self._send(message)

    def end(self) -> None:
        """Tell of the answer, unless that has been done."""
        tell, self._tell = self._tell, None
        if tell:
            tell(self)

    def latency(self) -> float:
        """Return the seconds until the answer began."""
        return (self._clock() if self._began is None else self._began) - self._asked

    def seconds(self) -> float:
        """Return the seconds so far."""
        return self._clock() - self._asked


def method_of(scope: Scope) -> str:
    """Return the method, "other" for one that nobody knows."""
    method: str = scope["method"]
    return method if method in _METHODS else _OTHER


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered, or who did instead; no caller's text."""
    route = getattr(scope.get("route"), "path_format", None)
    if isinstance(route, str):
        return route
    path: str = scope["path"]
    if path == scope["app"].openapi_url:
        return path
    return DASHBOARD if paths.owns(path) else NO_ROUTE


def path_of(scope: Scope) -> str:
    """Return the path in printable ASCII, percent-encoded, without the query."""
    return quote(scope["path"][:_LONGEST_PATH], safe="/!$&'()*+,;:@~", errors="replace")
