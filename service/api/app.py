"""The service as one ASGI application: the API, its documentation and the dashboard."""

from anyio import CapacityLimiter
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware.gzip import GZipMiddleware

from service.api import best
from service.api import docs
from service.api import events
from service.api import handlers
from service.api import health
from service.api import jobs
from service.api import offers
from service.api import openapi
from service.api import report
from service.api import trials
from service.api.body_deadline import BodyDeadline
from service.api.body_limit import BodyLimit
from service.api.fallback import Fallback
from service.api.headers import SecurityHeaders
from service.dashboard.app import dashboard

MAX_BODY_BYTES = 1024 * 1024
BODY_SECONDS = 30.0  # in which a body must have arrived
POLL_SECONDS = 1.0  # between two looks at the database for each client that follows a job
_FOLLOWER_THREADS = 4

_DESCRIPTION = (
    "Hand in a trained network, data and a tolerance; fetch the allocation of bits that takes the "
    "least memory while accuracy stays above the floor. Every error is a problem document "
    "(RFC 9457) whose `type` ends in a stable code."
)


def create_app(
    engine: Engine,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    body_seconds: float = BODY_SECONDS,
    poll_seconds: float = POLL_SECONDS,
) -> FastAPI:
    """Return the application over a migrated database; the engine stays the caller's."""
    app = FastAPI(
        title="bitfloor",
        version="1",
        summary="The fewest bits above your accuracy floor",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.poll_seconds = poll_seconds
    app.state.followers = CapacityLimiter(_FOLLOWER_THREADS)
    for module in (jobs, trials, best, events, report, offers, health, docs):
        app.include_router(module.router)
    # not mounted: a mount at / would also answer a wrong method on one of our own routes
    app.router.default = Fallback(GZipMiddleware(dashboard(engine), compresslevel=4))
    handlers.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(BodyDeadline, seconds=body_seconds)
    app.add_middleware(SecurityHeaders)  # outermost
    return app
