"""Sessions: a browser shows its token once, and from then on a secret of its own."""

import secrets

from sqlalchemy import Engine
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select

from service.store import tokens
from service.store.access import Principal
from service.store.access_models import SessionRow
from service.store.access_models import TokenRow
from service.store.clock import db_now
from service.store.transactions import reading
from service.store.transactions import writing


def begin(engine: Engine, token_id: str, *, seconds: float) -> str:
    """Return the secret of a new session of the token's; sessions that ran out are forgotten."""
    secret = secrets.token_urlsafe(32)
    values = {"digest": tokens.digest(secret), "token_id": token_id}
    with writing(engine) as session:
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= db_now()))
        session.execute(insert(SessionRow).values(**values, expires_at=db_now() + seconds))
    return secret


def principal(engine: Engine, secret: str) -> Principal | None:
    """Return whom the session stands for; None once it ran out, or its token is of no use."""
    statement = (
        select(TokenRow)
        .join(SessionRow, SessionRow.token_id == TokenRow.id)
        .where(
            # found by the digest of 256 random bits: how long a miss takes tells nothing of them
            SessionRow.digest == tokens.digest(secret),
            SessionRow.expires_at > db_now(),
            tokens.usable(),
        )
    )
    with reading(engine) as session:
        row = session.scalars(statement).one_or_none()
        return None if row is None else tokens.principal_of(row)


def end(engine: Engine, secret: str) -> None:
    """Forget the session, if there is one."""
    with writing(engine) as session:
        session.execute(delete(SessionRow).where(SessionRow.digest == tokens.digest(secret)))
