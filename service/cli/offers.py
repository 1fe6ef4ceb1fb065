"""Commands about what can be named in a spec: models, datasets."""

from service.cli import tables
from service.cli.connection import connect
from service.cli.options import Output
from service.cli.options import Server
from service.cli.output import Format
from service.cli.output import emit
from service.cli.output import say
from service.cli.output import show
from service.client import DEFAULT_SERVER


def models(form: Output = Format.TABLE, *, server: Server = DEFAULT_SERVER) -> None:
    """List the models that the server's workers offer, and the weights of each."""
    _list("models", form, server=server)


def datasets(form: Output = Format.TABLE, *, server: Server = DEFAULT_SERVER) -> None:
    """List the datasets that the server's workers offer."""
    _list("datasets", form, server=server)


def _list(kind: str, form: Format, *, server: str) -> None:
    with connect(server) as client:
        found = client.offers(kind).items
    if not found:
        say("no worker has told yet what it offers; `bitfloor worker` starts one")
    if form is Format.TABLE:
        show(tables.offers(found))
    else:
        emit([dict(offer) for offer in found], form)
