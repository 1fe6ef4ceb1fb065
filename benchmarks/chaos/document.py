"""The table in a document, rewritten between its marks with how it came about."""

import os
import platform
import sqlite3
from collections.abc import Sequence

from benchmarks.chaos import figures
from benchmarks.chaos.figures import Figure

BEGIN, END = "<!-- table -->", "<!-- end of table -->"


class NoMarks(Exception):
    """A document has no place for the table."""

    def __init__(self) -> None:
        super().__init__(f"the document has not {BEGIN} and, below it, {END}")


def rewritten(text: str, section: str) -> str:
    """Return the document with the section between its marks. Raises NoMarks."""
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise NoMarks
    return f"{before}{begin}\n{section}\n\n{end}{after}"


def section(made: Sequence[Figure], command: Sequence[str], *, machine: str) -> str:
    """Return the command, the machine, and the table."""
    held = sum(figure.held for figure in made)
    return (
        f"`{' '.join(command)}` on {machine}. {held} of {len(made)} rows held.\n\n"
        f"{figures.table(made)}"
    )


def machine() -> str:
    """Return what the figures depend on of this machine, in words."""
    return (
        f"{platform.system()} with {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
