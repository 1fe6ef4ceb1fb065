"""Wires database, API and worker together; imported only by the commands that run servers."""

import socket
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy import Engine

from service import logs
from service import tracing
from service.api.app import create_app
from service.cli import hosting
from service.cli.children import KeptChild
from service.cli.errors import SettingUnusable
from service.client import BitfloorClient
from service.client import ClientError
from service.settings import LogSettings
from service.settings import Settings
from service.settings import TraceSettings
from service.store import session

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listened on, never asked
PROBE_TIMEOUT = 2.0  # seconds


def up(data_dir: Path, *, host: str, port: int, model_root: Path, data_root: Path) -> None:
    """Migrate the SQLite database under the folder, and run API and worker until stopped."""
    # whoever sits before it did not ask to read of every request
    _start_log(level="warning")
    url = f"sqlite:///{data_dir / 'bitfloor.db'}"
    with hosting.listen(host, port) as listener, _opened(url) as engine:
        session.migrate(engine)
        api = hosting.ApiThread(_app(engine), listener, log_level="warning")
        roots = ["--model-root", str(model_root), "--data-root", str(data_root)]
        child = KeptChild(["-m", "workers", "--database-url", url, *roots])
        announce = _announcement(_address(host, listener), with_worker=True)
        hosting.host_until_stopped(api, child, announce=announce)


def serve(database_url: str, *, host: str, port: int) -> None:
    """Run the API over a migrated database until stopped."""
    _start_log(level="info")
    with hosting.listen(host, port) as listener, _opened(database_url) as engine:
        session.require_current_schema(engine)
        api = hosting.ApiThread(_app(engine), listener, log_level="info")
        announce = _announcement(_address(host, listener), with_worker=False)
        hosting.host_until_stopped(api, None, announce=announce)


def _start_log(*, level: str) -> None:
    """Log as the environment says, at this level where it says none."""
    try:
        settings = LogSettings()
    except ValidationError as error:
        raise _unusable(error) from error
    logs.to_stderr(settings.log_format, level=settings.log_level or level)


@contextmanager
def _opened(database_url: str) -> Iterator[Engine]:
    engine = session.open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _app(engine: Engine) -> FastAPI:
    try:
        settings = Settings()
    except ValidationError as error:
        raise _unusable(error) from error
    return create_app(
        engine,
        max_body_bytes=settings.max_body_bytes,
        poll_seconds=settings.follow_seconds,
        tracer=tracing.open_tracer("bitfloor-api", wanted=TraceSettings().wanted),
    )


def _unusable(error: ValidationError) -> SettingUnusable:
    first = error.errors()[0]
    return SettingUnusable(str(first["loc"][0]), first["msg"])


def _address(host: str, listener: socket.socket) -> str:
    shown = WILDCARDS.get(host, host)
    port = listener.getsockname()[1]
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _announcement(address: str, *, with_worker: bool) -> Callable[[], bool]:
    def announce() -> bool:
        try:
            with BitfloorClient(address, timeout=PROBE_TIMEOUT) as client:
                usable = client.ready()
                if usable and with_worker:
                    usable = bool(client.offers("models").items)
        except ClientError:
            return False
        if usable:
            _print_addresses(address)
        return usable

    return announce


def _print_addresses(address: str) -> None:
    print(f"server     {address}")
    print(f"API docs   {address}/docs")
    print(f"dashboard  {address}/", flush=True)
