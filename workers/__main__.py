"""`python -m workers`: announces what it offers, then works until it is told to stop."""

import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer
from pydantic import ValidationError

from service import logs
from service.store import catalog
from service.store import session
from service.store.errors import StoreError
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def work(
    database_url: Annotated[str | None, typer.Option(help="as for `bitfloor serve`")] = None,
    *,
    lease_seconds: Annotated[float | None, typer.Option(help="see docs/cli.md")] = None,
    model_root: Annotated[str | None, typer.Option(help="folder of weights and programs")] = None,
    data_root: Annotated[str | None, typer.Option(help="folder of datasets")] = None,
    once: Annotated[bool, typer.Option(help="carry out one job, if there is one, and end")] = False,
) -> None:
    """Search for the jobs in the queue, one after another."""
    logs.to_stderr()
    given = {
        "database_url": database_url,
        "lease_seconds": lease_seconds,
        "model_root": model_root,
        "data_root": data_root,
    }
    stop = threading.Event()
    _on_signals(stop)
    try:
        settings = WorkerSettings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]  # validated by pydantic
        engine = session.open_engine(settings.database_url)
        session.require_current_schema(engine)
    except (StoreError, ValidationError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # one line for people
        raise typer.Exit(1) from None
    # torch takes seconds to load; whoever gave a wrong database URL should not have to wait for it
    from workers.datasets.catalog import surroundings  # noqa: PLC0415  # loads torchvision
    from workers.models.registry import open_models  # noqa: PLC0415  # loads torch
    from workers.offers import offers  # noqa: PLC0415  # loads torch
    from workers.worker import open_worker  # noqa: PLC0415  # loads torch

    catalog.announce(engine, offers(open_models(settings.model_root), surroundings(settings)))
    worker = open_worker(engine, settings, stop)
    if once:
        worker.work_once()
    else:
        worker.work_forever()


def _on_signals(stop: threading.Event) -> None:
    """Let the first SIGTERM or SIGINT finish the round, and the second end the process."""

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


if __name__ == "__main__":
    app()
