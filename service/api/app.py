"""The service as one ASGI application: the API, its documentation and the dashboard."""

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware.cors import CORSMiddleware

from service.api import best
from service.api import deliveries
from service.api import docs
from service.api import events
from service.api import handlers
from service.api import health
from service.api import jobs
from service.api import login
from service.api import metrics
from service.api import offers
from service.api import openapi
from service.api import report
from service.api import story
from service.api import trials
from service.api.body_deadline import BodyDeadline
from service.api.body_limit import BodyLimit
from service.api.credentials import Credentials
from service.api.dashboards import Dashboards
from service.api.deadline import Deadline
from service.api.door import Door
from service.api.fallback import Fallback
from service.api.headers import SecurityHeaders
from service.api.options import Options
from service.api.origins import Origins
from service.api.shared import Shared
from service.tracing import OFF
from service.tracing import Tracer


def create_app(
    engine: Engine,
    options: Options = Options(),  # noqa: B008 - it is frozen
    *,
    tracer: Tracer = OFF,
) -> FastAPI:
    """Return the application over a migrated database; the engine stays the caller's."""
    app = FastAPI(
        title="bitfloor",
        version="1",
        summary="The fewest bits above your accuracy floor",
        description=story.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # ours tells of every request; the framework's own would tell the query too
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    credentials = Credentials(engine, options)
    app.state.engine = engine
    app.state.options = options
    app.state.credentials = credentials
    app.state.shared = Shared()
    app.state.offered = offers.Offered(engine)
    routed = (jobs, trials, best, events, report, deliveries, offers, health, metrics, docs, login)
    for module in routed:
        app.include_router(module.router)
    # not mounted: a mount at / would also answer a wrong method on one of our own routes
    app.router.default = Fallback(Dashboards(engine))
    handlers.install(app)
    openapi.install(app)
    _guard(app, credentials, options=options)
    metrics.install(app, engine, tracer=tracer)  # outermost
    return app


def _guard(app: FastAPI, credentials: Credentials, *, options: Options) -> None:
    """Put what every request passes around the routes; the last one added is the outermost."""
    app.add_middleware(BodyLimit, max_bytes=options.max_body_bytes)
    app.add_middleware(BodyDeadline, seconds=options.body_seconds)
    app.add_middleware(Door, credentials=credentials, options=options)
    if options.cors_origins:
        # outside the door: a browser asks beforehand, and without a token
        app.add_middleware(
            CORSMiddleware,
            allow_origins=options.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["ETag", "Location", "Retry-After"],
        )
    app.add_middleware(Origins, options=options)
    app.add_middleware(Deadline, seconds=options.answer_seconds)
    app.add_middleware(SecurityHeaders)
