"""Every fault at its small size, on each of its databases: whatever must hold does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import crew
from benchmarks.chaos import databases
from benchmarks.chaos import ground
from benchmarks.chaos.crew import Nursery
from benchmarks.chaos.databases import Postgres
from benchmarks.chaos.faults import FAULTS
from benchmarks.chaos.ground import Ground

SHORT = {name: fault for name, fault in FAULTS.items() if fault.short is not None}


def on(database: str) -> list[str]:
    """Return the faults that are made to happen on this database."""
    return [name for name, fault in SHORT.items() if database in fault.databases]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Load torch once for all faults."""
    with crew.nursery() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with ground.folder() as made:
        yield made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Postgres]:
    """Start one server for all faults but those that crash it."""
    with databases.postgres(folder / "postgresql") as started:
        yield started


def broken(name: str, common: Ground) -> tuple[str, ...]:
    """Make the fault happen; return what did not hold."""
    make = SHORT[name].short
    assert make is not None
    with common.apart() as own:
        try:
            figure = make(own)
        finally:
            _tell(own.folder)
    assert figure.database == common.database
    return figure.broken


def _tell(folder: Path) -> None:
    """Print what everybody logged, which pytest shows of a test that fails."""
    for log in sorted(folder.rglob("*.log")):
        sys.stdout.write(f"--- {log.relative_to(folder)}\n{log.read_text(errors='replace')}\n")


@pytest.mark.slow
@pytest.mark.timeout(600)  # longer than a fault itself waits in vain
class TestSqlite:
    @pytest.mark.parametrize("name", on("sqlite"))
    def test_what_must_hold_does(self, name: str, nursery: Nursery, folder: Path) -> None:
        common = Ground(database="sqlite", folder=folder, nursery=nursery, seed=0, server=None)
        assert broken(name, common) == ()


@pytest.mark.slow
@pytest.mark.timeout(600)  # as above
class TestPostgresql:
    @pytest.mark.parametrize("name", on("postgresql"))
    def test_what_must_hold_does(
        self, name: str, nursery: Nursery, folder: Path, server: Postgres
    ) -> None:
        common = Ground(
            database="postgresql", folder=folder, nursery=nursery, seed=0, server=server
        )
        assert broken(name, common) == ()
