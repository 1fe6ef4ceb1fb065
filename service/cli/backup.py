"""`bitfloor backup` and `restore`: the embedded database, copied while in use and put back."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli import needs
from service.cli.options import DEFAULT_DATA_DIR
from service.cli.options import DataDir
from service.cli.options import SomeDatabase
from service.cli.output import say
from service.words import bytes_in_words

Target = Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="What 'bitfloor backup' wrote.")]


def backup(
    target: Target,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite FILE.")] = False,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Copy the database of `bitfloor up` into one file; nothing has to stop for it."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import backups
    source = backups.file_of(database_url or database.embedded_url(data_dir))
    made = backups.back_up(source, target, replace=replace)
    say(
        f"wrote {made.path}: {made.jobs:,} jobs, {made.trials:,} trials, "
        f"{bytes_in_words(made.bytes)}"
    )


def restore(
    source: Source,
    *,
    database_url: SomeDatabase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put a copy in the place of the database of `bitfloor up`; that one is kept beside it."""
    with needs.installed("store"):
        from service.cli import database
        from service.store import backups
    if database_url is None:
        database.make_folder(data_dir)
    target = backups.file_of(database_url or database.embedded_url(data_dir))
    kept = backups.restore(source, target)
    say(f"restored {target} from {source}")
    if kept:
        say(f"the database that was there is now {kept}")
