"""The schema's version: what Alembic needs to know, built in code so that a wheel carries it."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

#: not Alembic's default: other tools in the same database keep theirs
VERSION_TABLE = "bitfloor_version"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return the configuration that makes Alembic work inside the connection's transaction."""
    config = Config()
    # doubled, because Alembic reads options with interpolation
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """Return the version that this code needs."""
    revision = ScriptDirectory(str(_migrations())).get_current_head()
    assert revision is not None, "migrations/versions is empty"  # noqa: S101 - a broken wheel
    return revision


@cache
def known() -> frozenset[str]:
    """Return every version that this code can start from."""
    revisions = ScriptDirectory(str(_migrations())).walk_revisions()
    return frozenset(revision.revision for revision in revisions)


def current(connection: Connection) -> str | None:
    """Return the version that the database is at, None where there is none."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _migrations() -> Path:
    return Path(str(files("migrations")))
