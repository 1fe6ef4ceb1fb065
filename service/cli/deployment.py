"""Wires database, API and worker together; imported only by the commands that run servers."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine

from service import lapses
from service import logs
from service import tracing
from service.api.app import create_app
from service.api.connections import Limits
from service.api.options import LOOPBACK_HOSTS
from service.api.options import Options
from service.cli import hooks
from service.cli import hosting
from service.cli import memory
from service.cli.children import KeptChild
from service.cli.database import embedded_url
from service.cli.database import opened
from service.cli.errors import NoTokens
from service.client import BitfloorClient
from service.settings import LogSettings
from service.settings import Settings
from service.settings import TraceSettings
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
    memory.bound()
    # whoever sits before it did not ask to read of every request
    _start_log(level="warning")
    url = embedded_url(data_dir)
    with hosting.listen(binding.host, binding.port) as listener, opened(url) as engine:
        session.migrate(engine)
        settings = hooks.settings()
        api = _api(engine, listener, settings=settings, binding=binding, log_level="warning")
        roots = ["--model-root", str(model_root), "--data-root", str(data_root)]
        # one that was named for every folder of data stays
        cache = [] if settings.cache_dir else ["--cache-dir", str(data_dir / "cache")]
        child = KeptChild(["-m", "workers", "--database-url", url, *roots, *cache])
        announce = _announcement(_address(binding.host, listener), engine, with_worker=True)
        with hooks.couriers(engine, settings), lapses.ending(engine):
            hosting.host_until_stopped(api, child, announce=announce)


def serve(database_url: str, binding: Binding) -> None:
    """Run the API over a migrated database until stopped."""
    memory.bound()
    _start_log(level="info")
    with hosting.listen(binding.host, binding.port) as listener, opened(database_url) as engine:
        session.require_current_schema(engine)
        settings = hooks.settings()
        api = _api(engine, listener, settings=settings, binding=binding, log_level="info")
        announce = _announcement(_address(binding.host, listener), engine, with_worker=False)
        with hooks.couriers(engine, settings), lapses.ending(engine):
            hosting.host_until_stopped(api, None, announce=announce)


def _start_log(*, level: str) -> None:
    """Log as the environment says, at this level where it says none."""
    try:
        settings = LogSettings()
    except ValidationError as error:
        raise hooks.unusable(error) from error
    logs.to_stderr(settings.log_format, level=settings.log_level or level)


def _api(
    engine: Engine,
    listener: socket.socket,
    *,
    settings: Settings,
    binding: Binding,
    log_level: str,
) -> hosting.ApiThread:
    """Return the API to run; raise NoTokens rather than let strangers in."""
    limits = Limits(
        head_seconds=settings.head_seconds,
        unread_seconds=settings.unread_seconds,
        max_connections=settings.max_connections,
    )
    local = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
    required = binding.require_tokens or not local
    if required and not tokens.exist(engine):
        raise NoTokens(binding.host)
    options = _options(settings, local=local, require_tokens=required)
    tracer = tracing.open_tracer("bitfloor-api", wanted=TraceSettings().wanted)
    app = create_app(engine, options, tracer=tracer)
    memory.settle()
    return hosting.ApiThread(app, listener, log_level=log_level, limits=limits)


def _options(settings: Settings, *, local: bool, require_tokens: bool) -> Options:
    return Options(
        max_body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        poll_seconds=settings.follow_seconds,
        require_tokens=require_tokens,
        allowed_hosts=settings.hosts or (LOOPBACK_HOSTS if local else None),
        cors_origins=settings.origins,
        requests_per_minute=settings.requests_per_minute,
        guesses_per_minute=settings.guesses_per_minute,
        session_seconds=settings.session_hours * 3600,
        answer_seconds=settings.answer_seconds,
        webhook_hosts=hooks.allowed(settings),
    )


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
