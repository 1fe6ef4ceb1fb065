"""The options that commands share."""

from pathlib import Path
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

FailUnless = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-unless",
        metavar="CONDITION",
        help="Exit 3 unless it holds, such as 'saved>=0.80'; repeatable.",
    ),
]

Junit = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write what held as JUnit XML, too."),
]

ModelRoot = Annotated[
    Path | None,
    typer.Option(
        "--model-root",
        envvar="BITFLOOR_MODEL_ROOT",
        help="Where weights and programs lie that jobs may name; models under the data folder.",
        show_default=False,
    ),
]

DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        envvar="BITFLOOR_DATA_ROOT",
        help="Where datasets lie that jobs may name; datasets under the data folder.",
        show_default=False,
    ),
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

RequireTokens = Annotated[
    bool,
    typer.Option(
        "--require-tokens",
        envvar="BITFLOOR_REQUIRE_TOKENS",
        help="Ask for a token on loopback too, as behind a proxy.",
    ),
]

#: of commands that work on the database itself
SomeDatabase = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        envvar="BITFLOOR_DATABASE_URL",
        help="The service's database; left out, that of `bitfloor up` under the data folder.",
        show_default=False,
    ),
]

DataDir = Annotated[
    Path,
    typer.Option(envvar="BITFLOOR_DATA_DIR", help="Where the database and downloads live."),
]

DEFAULT_DATA_DIR = Path("bitfloor-data")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765

__all__ = [
    "DEFAULT_DATA_DIR",
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "DEFAULT_SERVER",
    "DataDir",
    "DataRoot",
    "DatabaseUrl",
    "FailUnless",
    "Host",
    "JobId",
    "Junit",
    "ModelRoot",
    "Output",
    "Port",
    "RequireTokens",
    "Server",
    "SomeDatabase",
]
