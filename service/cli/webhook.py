"""Commands about webhooks: the secret that a tenant's receivers verify with, and deliveries."""

import re
from typing import Annotated

import typer

from service.cli import needs
from service.cli import tables
from service.cli.connection import connect
from service.cli.errors import FieldUnusable
from service.cli.options import JobId
from service.cli.options import Output
from service.cli.options import Server
from service.cli.output import Format
from service.cli.output import document_of
from service.cli.output import emit
from service.cli.output import show
from service.client import DEFAULT_SERVER
from service.signatures import tenant_secret
from service.store.access import DEFAULT_TENANT
from service.store.access import NAME_PATTERN

app = typer.Typer(help="Tell the secret of webhooks, and what they told.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="Whose receivers verify with it.")]


@app.command("secret")
def secret(tenant: Tenant = DEFAULT_TENANT) -> None:
    """Print a tenant's secret, which follows from the one in BITFLOOR_WEBHOOK_SECRET."""
    if not re.fullmatch(NAME_PATTERN, tenant):
        raise FieldUnusable("TENANT", f"{tenant!r} is no tenant's name")
    with needs.installed("service"):
        from service.cli import hooks
    current, *_ = hooks.secrets(hooks.settings())
    typer.echo(tenant_secret(current, tenant))


@app.command("deliveries")
def deliveries(
    job_id: JobId, form: Output = Format.TABLE, *, server: Server = DEFAULT_SERVER
) -> None:
    """List what a job's webhook was told, and what came of it."""
    with connect(server) as client:
        found = [document_of(one) for one in client.deliveries(job_id)]
    if form is Format.TABLE:
        told = ("event", "state", "tries", "status", "next_try_at", "error")
        rows = [{name: one.get(name) for name in told} for one in found]
        show(tables.records(rows, none="no webhook, or nothing happened yet that it is told of"))
    else:
        emit(found, form)
