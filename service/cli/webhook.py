"""Commands about webhooks: the secret that a tenant's receivers verify with, and deliveries."""

import re
from collections.abc import Iterable
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
from service.cli.output import say
from service.cli.output import show
from service.client import DEFAULT_SERVER
from service.client import BitfloorClient
from service.delivery_answers import Delivery
from service.signatures import tenant_secret
from service.store.access import DEFAULT_TENANT
from service.store.access import NAME_PATTERN
from service.store.webhooks import DeliveryState

app = typer.Typer(
    help="Tell the secret of webhooks, what they told, and send it again.", no_args_is_help=True
)

DeliveryId = Annotated[
    str | None,
    typer.Argument(metavar="DELIVERY", help="Which; left out, all that were given up."),
]
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
        told = ("id", "event", "state", "tries", "status", "next_try_at", "error")
        rows = [{name: one.get(name) for name in told} for one in found]
        show(tables.records(rows, none="no webhook, or nothing happened yet that it is told of"))
    else:
        emit(found, form)


@app.command("resend")
def resend(job_id: JobId, delivery: DeliveryId = None, *, server: Server = DEFAULT_SERVER) -> None:
    """Have what a job's webhook was told sent once more, under the same ids."""
    with connect(server) as client:
        chosen = [delivery] if delivery else [one.id for one in _given_up(client, job_id)]
        for delivery_id in chosen:
            typer.echo(client.resend(job_id, delivery_id).id)
    if not chosen:
        say("nothing was given up; name a delivery to have it sent again")


def _given_up(client: BitfloorClient, job_id: str) -> Iterable[Delivery]:
    return (one for one in client.deliveries(job_id) if one.state == DeliveryState.GIVEN_UP)
