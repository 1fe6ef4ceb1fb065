"""Every fault at its small size, on each of its databases: whatever must hold does."""

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

EACH = [
    (name, database)
    for name, fault in FAULTS.items()
    if fault.short is not None
    for database in fault.databases
]


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


@pytest.mark.slow
@pytest.mark.timeout(600)  # longer than a fault itself waits in vain
@pytest.mark.parametrize("name, database", EACH)
def test_what_must_hold_does(
    name: str, database: str, nursery: Nursery, folder: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("server") if database == "postgresql" else None
    common = Ground(database=database, folder=folder, nursery=nursery, seed=0, server=server)
    make = FAULTS[name].short
    assert make is not None
    with common.apart() as own:
        figure = make(own)
    assert figure.database == database
    assert figure.broken == ()
