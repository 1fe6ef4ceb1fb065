"""What every fault is given: a folder, a nursery, a database, and a seed for its choices."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from random import Random

from benchmarks.chaos import databases
from benchmarks.chaos.crew import Nursery
from benchmarks.chaos.databases import Postgres

#: a file system in memory, where there is one: a killed process loses nothing there either, and
#: what other programs write to the disk slows nobody down
MEMORY = Path("/dev/shm")  # noqa: S108 - names in it are drawn at random


@contextmanager
def folder() -> Iterator[Path]:
    """Yield an empty folder and delete it in the end."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        # a server that root starts runs as another user, who has to get there
        Path(name).chmod(0o755)
        yield Path(name).resolve()


@dataclass(frozen=True)
class Ground:
    """Where a fault happens."""

    #: one of databases.KINDS
    database: str
    #: empty, and anybody may go there
    folder: Path
    nursery: Nursery
    seed: int
    #: the server that all faults share, where the database is one
    server: Postgres | None

    @cached_property
    def draws(self) -> Random:
        """The fault's choices."""
        return Random(self.seed)  # noqa: S311 - no secret

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Yield the URL of a database with the newest schema and no rows."""
        with self.blank() as url:
            yield databases.migrated(url)

    def blank(self) -> AbstractContextManager[str]:
        """Yield the URL of a database without tables."""
        return self.server.fresh() if self.server else databases.sqlite(self.folder)

    @contextmanager
    def apart(self) -> Iterator["Ground"]:
        """Yield the same ground in a folder of its own."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            Path(folder).chmod(0o755)
            yield replace(self, folder=Path(folder))
