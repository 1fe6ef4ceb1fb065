"""Tokens: made, listed, revoked and recognized; the secret itself is never stored."""

import hashlib
import hmac
import re
import secrets
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Engine
from sqlalchemy import Select
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from service.store.access import Principal
from service.store.access import Scope
from service.store.access import Token
from service.store.access_models import TokenRow
from service.store.clock import db_now
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import TokenNotFound
from service.store.transactions import glancing
from service.store.transactions import reading
from service.store.transactions import writing

#: tells secret scanners and people what they have found
PREFIX = "bitfloor"
USE_NOTED_EVERY = 3600.0  # seconds; noting every use would make each read a write

_TEXT = re.compile(rf"{PREFIX}_(?P<id>[0-9a-f]{{16}})_(?P<secret>[A-Za-z0-9_-]{{43}})")
#: compared with where there is no such token, so that the answer takes as long
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def create(
    engine: Engine,
    *,
    tenant: str,
    name: str,
    scopes: frozenset[Scope],
    lifetime: float | None = None,
) -> tuple[Token, str]:
    """Return a new token and its text, which nobody can be told again; lifetime in seconds."""
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    statement = insert(TokenRow).values(
        id=token_id,
        tenant=tenant,
        name=name,
        scopes=" ".join(sorted(scopes)),
        digest=digest(secret),
        created_at=db_now(),
        expires_at=None if lifetime is None else db_now() + lifetime,
    )
    with writing(engine) as session:
        session.execute(statement)
        row = session.execute(select(TokenRow).where(TokenRow.id == token_id)).scalar_one()
        return _token(row), f"{PREFIX}_{token_id}_{secret}"


def every(engine: Engine, tenant: str | None = None) -> tuple[Token, ...]:
    """Return all tokens, or those of one tenant, oldest first; revoked ones too."""
    statement = select(TokenRow).order_by(TokenRow.created_at, TokenRow.id)
    if tenant is not None:
        statement = statement.where(TokenRow.tenant == tenant)
    with reading(engine) as session:
        return tuple(_token(row) for row in session.scalars(statement))


def revoke(engine: Engine, token_id: str) -> Token:
    """Return the token, of no use from now on; raise TokenNotFound."""
    statement = (
        update(TokenRow)
        .where(TokenRow.id == token_id)
        .values(revoked_at=func.coalesce(TokenRow.revoked_at, db_now()))
        .returning(TokenRow)
    )
    with writing(engine) as session:
        row = session.scalars(statement).one_or_none()
        if row is None:
            raise TokenNotFound(token_id)
        return _token(row)


def exist(engine: Engine) -> bool:
    """Tell whether there is any token that can be used."""
    with reading(engine) as session:
        return session.execute(select(TokenRow.id).where(usable()).limit(1)).first() is not None


def principal(engine: Engine, text: str) -> Principal | None:
    """Return whom the token stands for; None for what is no token, or one of no use any more."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    with glancing(engine) as connection:
        row = connection.execute(_known(), {"token_id": match["id"]}).one_or_none()
    kept, tenant, scopes, unnoted = row or (_NOBODY, "", "", False)
    if not hmac.compare_digest(digest(match["secret"]), kept):
        return None
    if unnoted:
        _note_use(engine, match["id"])
    return Principal(tenant=tenant, scopes=_scopes(scopes), token_id=match["id"])


@cache
def _known() -> Select[*tuple[Any, ...]]:
    """Return the query for what a token is compared with, made once: every request asks it."""
    usage = func.coalesce(TokenRow.last_used_at, 0.0) < db_now() - USE_NOTED_EVERY
    columns = TokenRow.digest, TokenRow.tenant, TokenRow.scopes
    return select(*columns, usage).where(TokenRow.id == bindparam("token_id"), usable())


def principal_of(row: TokenRow) -> Principal:
    """Return whom the row stands for."""
    return Principal(tenant=row.tenant, scopes=_scopes(row.scopes), token_id=row.id)


def usable() -> ColumnElement[bool]:
    """Return the condition under which a token is neither revoked nor expired."""
    lasting = or_(TokenRow.expires_at.is_(None), TokenRow.expires_at > db_now())
    return and_(TokenRow.revoked_at.is_(None), lasting)


def digest(secret: str) -> str:
    """Return 64 hexadecimal digits; one round, since 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _note_use(engine: Engine, token_id: str) -> None:
    statement = update(TokenRow).where(TokenRow.id == token_id).values(last_used_at=db_now())
    try:
        with writing(engine) as session:
            session.execute(statement, execution_options={"synchronize_session": False})
    except (DatabaseBusy, DatabaseFull):
        return  # a note for operators, which no request is refused for


def _scopes(words: str) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in words.split())


def _token(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        scopes=_scopes(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
