"""Word of new work for workers that wait, as PostgreSQL passes it on; SQLite has nothing alike.

Word may be lost, with a connection or to a proxy: whoever waits for it also looks now and then.
"""

from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store import faults
from service.store.errors import DatabaseUnreachable

CHANNEL = "bitfloor_jobs"
TURN = 5.0  # seconds after which a listener looks whether it is still wanted

#: a connection over which nothing comes for hours must still be known to be there
_KEPT_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


def tell(session: Session) -> None:
    """Let whoever listens know, once this transaction commits, that a job returned or arrived."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, "")))


def can_listen(engine: Engine) -> bool:
    """Tell whether the database passes word on."""
    return engine.dialect.name == "postgresql"


def listen(
    engine: Engine,
    ring: Callable[[], object],
    *,
    wanted: Callable[[], bool],
    turn: float = TURN,
) -> None:
    """Call `ring` whenever there is word, over a connection of its own, while it is wanted.

    Called once at first: what was told before it listened it has not heard. Raises
    DatabaseUnreachable when the connection breaks or cannot be made.
    """
    try:
        with _connected(engine) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            ring()
            while wanted():
                for _ in connection.notifies(timeout=turn):
                    ring()
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise DatabaseUnreachable(faults.shown(engine.url), lines[0]) from error


def _connected(engine: Engine) -> psycopg.Connection:
    """Return a connection outside the engine's pool, which lends them for a transaction."""
    arguments, said = engine.dialect.create_connect_args(engine.url)
    defaults: dict[str, Any] = {
        "application_name": "bitfloor-listener",
        "connect_timeout": 10,
        **_KEPT_ALIVE,
    }
    return psycopg.connect(*arguments, **(defaults | dict(said)), autocommit=True)
