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
from service.api.app import create_app
from service.api.connections import Limits
from service.cli import hosting
from service.cli.children import KeptChild
from service.cli.errors import SettingUnusable
from service.client import BitfloorClient
from service.client import ClientError
from service.settings import Settings
from service.store import session

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listened on, never asked
PROBE_TIMEOUT = 2.0  # seconds


def up(data_dir: Path, *, host: str, port: int, model_root: Path, data_root: Path) -> None:
    """Migrate the SQLite database under the folder, and run API and worker until stopped."""
    logs.to_stderr()
    url = f"sqlite:///{data_dir / 'bitfloor.db'}"
    with hosting.listen(host, port) as listener, _opened(url) as engine:
        session.migrate(engine)
        api = _api(engine, listener, log_level="warning")
        roots = ["--model-root", str(model_root), "--data-root", str(data_root)]
        child = KeptChild(["-m", "workers", "--database-url", url, *roots])
        announce = _announcement(_address(host, listener), with_worker=True)
        hosting.host_until_stopped(api, child, announce=announce)


def serve(database_url: str, *, host: str, port: int) -> None:
    """Run the API over a migrated database until stopped."""
    logs.to_stderr()
    with hosting.listen(host, port) as listener, _opened(database_url) as engine:
        session.require_current_schema(engine)
        api = _api(engine, listener, log_level="info")
        announce = _announcement(_address(host, listener), with_worker=False)
        hosting.host_until_stopped(api, None, announce=announce)


@contextmanager
def _opened(database_url: str) -> Iterator[Engine]:
    engine = session.open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _api(engine: Engine, listener: socket.socket, *, log_level: str) -> hosting.ApiThread:
    settings = _settings()
    limits = Limits(
        head_seconds=settings.head_seconds,
        unread_seconds=settings.unread_seconds,
        max_connections=settings.max_connections,
    )
    return hosting.ApiThread(_app(engine, settings), listener, log_level=log_level, limits=limits)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingUnusable(str(first["loc"][0]), first["msg"]) from error


def _app(engine: Engine, settings: Settings) -> FastAPI:
    return create_app(
        engine,
        max_body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        poll_seconds=settings.follow_seconds,
    )


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
