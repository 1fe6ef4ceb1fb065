"""The options that commands share."""

from typing import Annotated

import typer

from service.cli.output import Format
from service.client import DEFAULT_SERVER

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)]

Server = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="URL",
        envvar="BITFLOOR_SERVER",
        help="Where the server is.",
    ),
]

Output = Annotated[
    Format,
    typer.Option("--format", "-f", help="A table for people, or a document for programs."),
]

Host = Annotated[
    str, typer.Option("--host", envvar="BITFLOOR_HOST", help="Listen on this address.")
]

Port = Annotated[
    int,
    typer.Option(
        "--port", envvar="BITFLOOR_PORT", min=0, max=65535, help="Listen here; 0 finds a free port."
    ),
]

DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        metavar="URL",
        envvar="BITFLOOR_DATABASE_URL",
        help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        show_default=False,
    ),
]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "DEFAULT_SERVER",
    "DatabaseUrl",
    "Host",
    "JobId",
    "Output",
    "Port",
    "Server",
]
