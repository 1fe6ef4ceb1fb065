"""Applications that ask for tokens, and clients that show them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.options import Options
from service.store import tokens
from service.store.access import Scope
from tests.service.api import deployment

LOCKED = Options(require_tokens=True, poll_seconds=0.05)
BOTH = frozenset({Scope.READ, Scope.SUBMIT})


def token(engine: Engine, tenant: str = "vision", *, scopes: frozenset[Scope] = BOTH) -> str:
    """Return the text of a new token."""
    return tokens.create(engine, tenant=tenant, name="test", scopes=scopes)[1]


def bearer(text: str) -> dict[str, str]:
    """Return the header that shows it."""
    return {"Authorization": f"Bearer {text}"}


@contextmanager
def locked(engine: Engine, **options: Any) -> Iterator[httpx.Client]:
    """Serve an application that asks for tokens; connect without one."""
    deployment.announce(engine)
    with deployment.client_of(create_app(engine, replace(LOCKED, **options))) as client:
        yield client
