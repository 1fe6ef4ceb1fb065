"""Commands about quotas: set, list, remove; they work on the database itself."""

import re
from dataclasses import asdict
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
from service.store.access import NAME_PATTERN
from service.store.access import Quota

app = typer.Typer(help="Set, list and remove what tenants may use.", no_args_is_help=True)

Tenant = Annotated[
    str, typer.Argument(metavar="TENANT", help="Or '*': everybody without one of their own.")
]


def _limit(words: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(min=0, help=f"{words}; left out, no limit.")
    return info


@app.command("set")
def put(  # noqa: PLR0913 - an option is a parameter
    tenant: Tenant,
    *,
    queued_jobs: Annotated[int | None, _limit("Jobs queued at a time")] = None,
    trials: Annotated[int | None, _limit("Trials within 30 days")] = None,
    images: Annotated[int | None, _limit("Images evaluated within 30 days")] = None,
    priority: Annotated[int | None, typer.Option(help="Highest priority of a job.")] = None,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Set a tenant's quota, in place of an earlier one."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import quotas
    if tenant != quotas.EVERYBODY and not re.fullmatch(NAME_PATTERN, tenant):
        raise FieldUnusable("TENANT", f"{tenant!r} is no tenant's name")
    quota = Quota(
        tenant=tenant, queued_jobs=queued_jobs, trials=trials, images=images, priority=priority
    )
    with database.administered(database_url, data_dir) as engine:
        quotas.put(engine, quota)
    say(f"set the quota of {tenant}")


@app.command("list")
def list_quotas(
    *,
    form: Output = Format.TABLE,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List every quota."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import quotas
    with database.administered(database_url, data_dir) as engine:
        found = [asdict(quota) for quota in quotas.every(engine)]
    if form is Format.TABLE:
        show(tables.records(found, none="no quota: every tenant may use all there is"))
    else:
        emit(found, form)


@app.command("remove")
def remove(
    tenant: Tenant, *, database_url: SomeDatabase = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Remove a tenant's own quota."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import quotas
    with database.administered(database_url, data_dir) as engine:
        had_one = quotas.remove(engine, tenant)
    say(f"removed the quota of {tenant}" if had_one else f"{tenant} had no quota of its own")
