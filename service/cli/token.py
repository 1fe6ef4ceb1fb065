"""Commands about tokens: create, list, revoke; they work on the database itself."""

import re
from datetime import UTC
from datetime import datetime
from typing import Annotated

import typer

from service.cli import needs
from service.cli import tables
from service.cli.errors import FieldUnusable
from service.cli.options import DEFAULT_DATA_DIR
from service.cli.options import DataDir
from service.cli.options import Output
from service.cli.options import SomeDatabase
from service.cli.output import Format
from service.cli.output import emit
from service.cli.output import say
from service.cli.output import show
from service.store.access import DEFAULT_TENANT
from service.store.access import NAME_PATTERN
from service.store.access import Scope
from service.store.access import Token

app = typer.Typer(help="Make, list and revoke the tokens that clients show.", no_args_is_help=True)

_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}

Name = Annotated[str, typer.Argument(help="What or whom it is for.", show_default=False)]
Tenant = Annotated[
    str, typer.Option(help="Whose jobs it sees and submits; made by naming it.", metavar="TENANT")
]
Scopes = Annotated[
    list[Scope],
    typer.Option(
        "--scope",
        help="read: see jobs and results; submit: submit and cancel; admin: all of it for every "
        "tenant, and metrics. Repeatable.",
    ),
]
Lifetime = Annotated[
    str | None,
    typer.Option(
        "--expires-in", metavar="TIME", help="Such as 12h, 90d or 52w; left out, it lasts."
    ),
]


@app.command("create")
def create(  # noqa: PLR0913 - an option is a parameter
    name: Name,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    scope: Scopes = [Scope.READ, Scope.SUBMIT],  # noqa: B006 - Typer copies it
    expires_in: Lifetime = None,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a token and print it: once, since only a digest of it is kept."""
    for field, text in (("NAME", name), ("--tenant", tenant)):
        _require_name(field, text)
    lifetime = None if expires_in is None else _seconds(expires_in)
    with needs.installed("store"):
        from service.cli import database
        from service.store import tokens
    with database.administered(database_url, data_dir) as engine:
        token, text = tokens.create(
            engine, tenant=tenant, name=name, scopes=frozenset(scope), lifetime=lifetime
        )
    say(f"token {token.id} of tenant {tenant}; keep its text, it cannot be shown again:")
    typer.echo(text)


@app.command("list")
def list_tokens(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    form: Output = Format.TABLE,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List all tokens, without their secrets."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import tokens
    with database.administered(database_url, data_dir) as engine:
        found = [_told(token) for token in tokens.every(engine, tenant)]
    if form is Format.TABLE:
        show(tables.records(found, none="no token yet; make one with: bitfloor token create NAME"))
    else:
        emit(found, form)


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    *,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End a token, and every browser's session that it began, at once."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import tokens
    with database.administered(database_url, data_dir) as engine:
        token = tokens.revoke(engine, token_id)
    say(f"revoked {token.id} ({token.name} of {token.tenant})")


def _require_name(field: str, text: str) -> None:
    if not re.fullmatch(NAME_PATTERN, text):
        raise FieldUnusable(
            field,
            f"{text!r} is no name; use up to 63 small letters and digits, with ., - and _ between",
        )


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([1-9]\d{0,3})([hdw])", text)
    if match is None:
        raise FieldUnusable("--expires-in", f"{text!r} is no time; write 12h, 90d or 52w")
    return float(int(match[1]) * _SECONDS[match[2]])


def _told(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "tenant": token.tenant,
        "name": token.name,
        "scopes": sorted(scope.value for scope in token.scopes),
        "created": _time(token.created_at),
        "expires": _time(token.expires_at),
        "revoked": _time(token.revoked_at),
        "last_used": _time(token.last_used_at),
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes")
