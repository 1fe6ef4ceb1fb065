"""The table in a document, rewritten between its marks with how it came about."""

import os
import platform
import re
import sqlite3
from collections.abc import Mapping
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
    before, _, after = _parts(text)
    return f"{before}{BEGIN}\n\n{section}\n\n{END}\n{after}"


def renewed(
    text: str, made: Mapping[str, Sequence[Figure]], command: Sequence[str], *, machine: str
) -> str:
    """Return the document with the rows of these faults, by their names, instead of its own.

    What is above the table tells so. Raises NoMarks.
    """
    told, _, table = _parts(text)[1].strip().partition("\n\n")
    rows = {_begins(line): line for line in table.splitlines()[2:]}
    for name, each in made.items():
        for figure in each:
            # one that did not come to its end has but the fault's name
            rows.pop((name, figure.database), None)
            rows[figure.fault, figure.database] = figures.row(figure)
    held = sum(line.endswith("| yes |") for line in rows.values())
    told = re.sub(r"\d+ of \d+ rows held", f"{held} of {len(rows)} rows held", told)
    count = sum(map(len, made.values()))
    told += f"\nMade again after it: `{' '.join(command)}` on {machine}, {count} rows."
    return rewritten(text, "\n".join([told, "", figures.HEAD, *rows.values()]))


def _begins(row: str) -> tuple[str, str]:
    """Return the fault and the database that a row is about."""
    fault, database, *_ = row.removeprefix("| ").split(" | ")
    return fault, database


def _parts(text: str) -> tuple[str, str, str]:
    """Return what is above the marks, between them, and below."""
    before, begin, rest = text.partition(f"{BEGIN}\n")
    between, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise NoMarks
    return before, between, after


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
