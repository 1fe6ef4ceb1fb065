"""Commands that run servers, up, serve, worker and migrate; they import what they need late."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from service.cli import needs
from service.cli.errors import FileUnusable
from service.cli.options import DEFAULT_DATA_DIR
from service.cli.options import DEFAULT_HOST
from service.cli.options import DEFAULT_PORT
from service.cli.options import DatabaseUrl
from service.cli.options import DataDir
from service.cli.options import DataRoot
from service.cli.options import Host
from service.cli.options import ModelRoot
from service.cli.options import Port
from service.cli.options import RequireTokens
from service.cli.output import say


def up(  # noqa: PLR0913 - an option is a parameter
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Host = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    require_tokens: RequireTokens = False,
    model_root: ModelRoot = None,
    data_root: DataRoot = None,
) -> None:
    """Run everything on this machine: API, dashboard and a worker, on one port over SQLite."""
    needs.require("torch", extra="worker")
    with needs.installed("service"):
        from service.cli import deployment
    _make_folder(data_dir)
    folder = data_dir.resolve()
    deployment.up(
        folder,
        deployment.Binding(host=host, port=port, require_tokens=require_tokens),
        model_root=model_root or folder / "models",
        data_root=data_root or folder / "datasets",
    )


def serve(
    database_url: DatabaseUrl,
    host: Host = DEFAULT_HOST,
    *,
    port: Port = DEFAULT_PORT,
    require_tokens: RequireTokens = False,
) -> None:
    """Run the API and the dashboard over a database; workers run elsewhere."""
    with needs.installed("service"):
        from service.cli import deployment
    binding = deployment.Binding(host=host, port=port, require_tokens=require_tokens)
    deployment.serve(database_url, binding)


def migrate(database_url: DatabaseUrl) -> None:
    """Bring the database's tables to this version; harmless where they are."""
    with needs.installed("store"):
        from service.store import session
    engine = session.open_engine(database_url)
    try:
        session.migrate(engine)
    finally:
        engine.dispose()
    say("the database is up to date")


def worker(context: typer.Context) -> None:
    """Run a worker in place of this process; options are passed on, --help tells which."""
    needs.require("torch", extra="worker")
    _become("workers", context.args)


def ray_workers(context: typer.Context) -> None:
    """Run workers across a Ray cluster, --count of them; other options are each worker's."""
    needs.require("torch", extra="worker")
    needs.require("ray", extra="ray")
    _become("workers.fleet", context.args)


def _become(module: str, arguments: Sequence[str]) -> NoReturn:
    """Run a program of ours in place of this process."""
    sys.stdout.flush()
    command = [sys.executable, "-m", module, *arguments]
    os.execv(sys.executable, command)  # noqa: S606  # our own program, no shell


def _make_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(data_dir, error.strerror or str(error)) from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise FileUnusable(data_dir, "no permission")
