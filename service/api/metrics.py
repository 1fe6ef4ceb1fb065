"""/metrics: what Prometheus reads, of this process and of the queue behind it."""

from importlib.metadata import version

from fastapi import APIRouter
from fastapi import FastAPI
from fastapi import Request
from fastapi import Response
from prometheus_client import CollectorRegistry
from prometheus_client import Info
from prometheus_client import PlatformCollector
from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from sqlalchemy import Engine

from service.api.observing import Observed
from service.api.openapi import responses
from service.api.queue_metrics import QueueCollector
from service.tracing import Tracer

router = APIRouter()


def install(app: FastAPI, engine: Engine, *, tracer: Tracer) -> None:
    """Observe every request of the application, with a registry of its own behind /metrics."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    release = Info("bitfloor_api", "The release that runs.", registry=registry)
    release.info({"version": version("bitfloor")})
    registry.register(QueueCollector(engine))
    app.state.metrics = registry
    app.add_middleware(Observed, registry=registry, tracer=tracer)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "The figures as they stand; those of the queue may be seconds old",
            "content": {
                "text/plain": {"schema": {"type": "string"}},
                "application/openmetrics-text": {"schema": {"type": "string"}},
            },
        },
        **responses(database=False),
    },
)
def metrics(request: Request) -> Response:
    """Tell this process's figures and the queue's, as text or, if accepted, as OpenMetrics."""
    registry: CollectorRegistry = request.app.state.metrics
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"Content-Type": content_type})
