"""Wires database, API and worker together; imported only by the commands that run servers."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import Engine

from service import logs
from service.api.app import create_app
from service.api.options import LOOPBACK_HOSTS
from service.api.options import Options
from service.cli import hooks
from service.cli import hosting
from service.cli.children import KeptChild
from service.cli.database import embedded_url
from service.cli.database import opened
from service.cli.errors import NoTokens
from service.client import BitfloorClient
from service.settings import Settings
from service.store import catalog
from service.store import session
from service.store import tokens

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listened on, never asked
PROBE_TIMEOUT = 2.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where to listen, and whether to ask everybody for a token."""

    host: str
    port: int
    #: asked for in any case where others than this machine can connect
    require_tokens: bool


def up(data_dir: Path, binding: Binding, *, model_root: Path, data_root: Path) -> None:
    """Migrate the SQLite database under the folder, and run API and worker until stopped."""
    logs.to_stderr()
    url = embedded_url(data_dir)
    with hosting.listen(binding.host, binding.port) as listener, opened(url) as engine:
        session.migrate(engine)
        settings = hooks.settings()
        app = _app(engine, binding, listener=listener, settings=settings)
        api = hosting.ApiThread(app, listener, log_level="warning")
        roots = ["--model-root", str(model_root), "--data-root", str(data_root)]
        child = KeptChild(["-m", "workers", "--database-url", url, *roots])
        announce = _announcement(_address(binding.host, listener), engine, with_worker=True)
        with hooks.couriers(engine, settings):
            hosting.host_until_stopped(api, child, announce=announce)


def serve(database_url: str, binding: Binding) -> None:
    """Run the API over a migrated database until stopped."""
    logs.to_stderr()
    with hosting.listen(binding.host, binding.port) as listener, opened(database_url) as engine:
        session.require_current_schema(engine)
        settings = hooks.settings()
        app = _app(engine, binding, listener=listener, settings=settings)
        api = hosting.ApiThread(app, listener, log_level="info")
        announce = _announcement(_address(binding.host, listener), engine, with_worker=False)
        with hooks.couriers(engine, settings):
            hosting.host_until_stopped(api, None, announce=announce)


def _app(
    engine: Engine, binding: Binding, *, listener: socket.socket, settings: Settings
) -> FastAPI:
    """Return the application; raise NoTokens rather than let strangers in."""
    local = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
    required = binding.require_tokens or not local
    if required and not tokens.exist(engine):
        raise NoTokens(binding.host)
    known = settings.hosts or (LOOPBACK_HOSTS if local else None)
    options = Options(
        max_body_bytes=settings.max_body_bytes,
        poll_seconds=settings.follow_seconds,
        require_tokens=required,
        allowed_hosts=known,
        cors_origins=settings.origins,
        requests_per_minute=settings.requests_per_minute,
        guesses_per_minute=settings.guesses_per_minute,
        session_seconds=settings.session_hours * 3600,
        answer_seconds=settings.answer_seconds,
        webhook_hosts=hooks.allowed(settings),
    )
    return create_app(engine, options)


def _address(host: str, listener: socket.socket) -> str:
    shown = WILDCARDS.get(host, host)
    port = listener.getsockname()[1]
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _announcement(address: str, engine: Engine, *, with_worker: bool) -> Callable[[], bool]:
    def announce() -> bool:
        with BitfloorClient(address, timeout=PROBE_TIMEOUT) as client:
            usable = client.ready()
        if usable and with_worker:
            usable = bool(catalog.offers(engine, "model"))
        if usable:
            _print_addresses(address)
        return usable

    return announce


def _print_addresses(address: str) -> None:
    print(f"server     {address}")
    print(f"API docs   {address}/docs")
    print(f"dashboard  {address}/", flush=True)
