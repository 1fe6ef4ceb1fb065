"""`python -m workers`: announces what it offers, then works until it is told to stop."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated
from typing import Any

import structlog
import typer
from pydantic import ValidationError
from sqlalchemy import Engine

from service import logs
from service import tracing
from service.settings import LogSettings
from service.settings import TraceSettings
from service.store import catalog
from service.store import session
from service.store.errors import StoreError
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers.bell import Bell
from workers.cluster.connection import Cluster
from workers.cluster.connection import connect
from workers.departure import Departure
from workers.errors import MetricsAddressUnusable
from workers.errors import WorkerError
from workers.listener import Listener
from workers.settings import MetricsSettings
from workers.settings import RaySettings
from workers.settings import WorkerSettings
from workers.telemetry import Telemetry

app = typer.Typer(add_completion=False)


@app.command()
def work(  # noqa: PLR0913  # an option is a parameter
    database_url: Annotated[str | None, typer.Option(help="as for `bitfloor serve`")] = None,
    *,
    lease_seconds: Annotated[float | None, typer.Option(help="see docs/cli.md")] = None,
    model_root: Annotated[str | None, typer.Option(help="folder of weights and programs")] = None,
    data_root: Annotated[str | None, typer.Option(help="folder of datasets")] = None,
    cache_dir: Annotated[str | None, typer.Option(help="folder of decoded images")] = None,
    ray: Annotated[str | None, typer.Option(help="address of a Ray cluster to evaluate on")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="answer Prometheus here")] = None,
    metrics_host: Annotated[str | None, typer.Option(help="127.0.0.1 unless said")] = None,
    once: Annotated[bool, typer.Option(help="carry out one job, if there is one, and end")] = False,
) -> None:
    """Search for the jobs in the queue, one after another."""
    stop, bell = threading.Event(), Bell()
    _on_signals(stop, bell)
    departure = Departure(stop)
    departure.start()
    said = _said(
        database_url=database_url,
        lease_seconds=lease_seconds,
        model_root=model_root,
        data_root=data_root,
        cache_dir=cache_dir,
    )
    with _told():
        _start_log()
        settings = WorkerSettings(**said)
        metrics = MetricsSettings(**_said(host=metrics_host, port=metrics_port))
        engine = session.open_engine(settings.database_url)
        session.require_current_schema(engine)
        telemetry = _telemetry(metrics)
        cluster_settings = RaySettings(**_said(address=ray))
    # torch takes seconds to load; whoever gave a wrong database URL should not have to wait for it
    from workers.workbench import choose_device  # noqa: PLC0415  # loads torch
    from workers.worker import Worker  # noqa: PLC0415  # loads torch

    _announce(engine, settings)
    cluster = _cluster(cluster_settings, stop=stop)
    if cluster is not None and not stop.is_set():
        _on_signals(stop, bell)  # again: connecting has replaced them
    # the evaluators have the devices, and this process only what it takes to know the network
    device = choose_device("cpu" if cluster else settings.device)
    worker = Worker(engine, settings, device, stop, telemetry, bell, departure, cluster)
    if once:
        worker.work_once()
        return
    Listener(engine, bell.ring).start()
    worker.work_forever()
    if worker.lost and not stop.is_set():
        # to wait for the cluster afresh: this process cannot leave the one it was connected to
        os.execv(sys.executable, [sys.executable, "-m", "workers", *sys.argv[1:]])  # noqa: S606  # our own program, no shell


def _cluster(settings: RaySettings, *, stop: threading.Event) -> Cluster | None:
    """Return the cluster to evaluate on, waited for; None: this machine does, or is to stop."""
    if settings.address is None:
        return None
    with _told():
        cluster = connect(settings, stop=stop)
    if cluster is None:
        raise typer.Exit(0)
    return cluster


def _announce(engine: Engine, settings: WorkerSettings) -> None:
    from workers.datasets.catalog import surroundings  # noqa: PLC0415  # loads torchvision
    from workers.models.registry import open_models  # noqa: PLC0415  # loads torch
    from workers.offers import offers  # noqa: PLC0415  # loads torch

    offered = offers(open_models(settings.model_root), surroundings(settings))
    # it may have gone away since it was opened; whoever started this process starts another
    with _told():
        catalog.announce(engine, offered)


@contextmanager
def _told() -> Iterator[None]:
    """End the process with one line for people where it cannot be started."""
    try:
        yield
    except (StoreError, ValidationError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # one line for people
        raise typer.Exit(1) from None


def _said(**options: Any) -> dict[str, Any]:
    """Return the options that were given; the environment says the others."""
    return {name: value for name, value in options.items() if value is not None}


def _start_log() -> None:
    settings = LogSettings()
    logs.to_stderr(settings.log_format, level=settings.log_level or "info")


def _telemetry(settings: MetricsSettings) -> Telemetry:
    """Return where this worker tells of its work, answering Prometheus if that is wanted."""
    tracer = tracing.open_tracer("bitfloor-worker", wanted=TraceSettings().wanted)
    telemetry = Telemetry(tracer=tracer)
    if settings.port is not None:
        try:
            port = telemetry.metrics.serve(settings.host, settings.port)
        except OSError as error:
            why = error.strerror or str(error)
            raise MetricsAddressUnusable(settings.host, settings.port, why=why) from error
        structlog.get_logger().info("metrics", host=settings.host, port=port)
    return telemetry


def _on_signals(stop: threading.Event, bell: Bell) -> None:
    """Let the first SIGTERM or SIGINT finish the round, and the second end the process."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        # its lock cannot be held by the code that this interrupts: the main thread only looks
        stop.set()
        bell.ring()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


if __name__ == "__main__":
    app()
