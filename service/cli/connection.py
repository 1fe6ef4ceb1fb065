"""Connects commands to the server, with the token that the environment holds.

A token on the command line would be seen by every user of the machine, so no option takes one.
"""

import os
from pathlib import Path

from service.cli.errors import SettingUnusable
from service.client import BitfloorClient

TOKEN = "BITFLOOR_TOKEN"  # noqa: S105 - a variable's name
TOKEN_FILE = "BITFLOOR_TOKEN_FILE"  # noqa: S105 - a variable's name


def connect(server: str) -> BitfloorClient:
    """Return a client of the server; raise SettingUnusable where the token's file is no help."""
    return BitfloorClient(server, token=_token())


def _token() -> str | None:
    said = os.environ.get(TOKEN)
    if said:
        return said.strip()
    path = os.environ.get(TOKEN_FILE)
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingUnusable("token_file", f"{path} cannot be read: {error}") from error
