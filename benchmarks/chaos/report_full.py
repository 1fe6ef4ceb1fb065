"""The disk that the command line saves a report to is full, and then freed."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.chaos import api
from benchmarks.chaos import disk
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import PATIENCE
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.disk import Disk
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from service.cli.database import opened

FAULT = "the disk that a report or a backup is saved to is full, and then freed"
EARLIER = b"an earlier report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How long the report is."""

    #: trials of the job
    budget: int = 100


LONG = Sizes()
SHORT = Sizes(budget=12)


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of saving something to the disk."""

    status: int
    #: it says which file, that there is no room, and what to do
    clear: bool
    #: files on the disk that were not there before, or are not as they were
    left: int


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Save a report and a backup to a full disk, and once more when it is free."""
    with (
        disk.small(ground.folder / "disk", "16m") as own,
        ground.fresh() as url,
        opened(url) as engine,
        hired(ground.nursery, ground.folder / "crew", database_url=url) as crew,
        api.served(url, ground.folder / "api.log") as served,
    ):
        crew.start()
        job = work.submit(engine, requests.spec(1, budget=sizes.budget))
        until("the job has ended", lambda: work.final(engine, [job]))
        server = f"http://{api.HOST}:{served.port}"
        commands = {"new.html": ["report", job, "--server", server, "-o"]}
        commands["earlier.html"] = commands["new.html"]
        if ground.database == "sqlite":
            commands["backup.db"] = ["backup", "--database-url", url]
        (own.folder / "earlier.html").write_bytes(EARLIER)
        own.fill()
        full = [_save(own, command, name=name) for name, command in commands.items()]
        own.free()
        freed = [_save(own, command, name=name) for name, command in commands.items()]
        with urlopen(f"{server}/v1/jobs/{job}/report", timeout=PATIENCE) as answer:  # noqa: S310 - our own server's
            page = answer.read()
        pages = [(own.folder / name).read_bytes() for name in ("new.html", "earlier.html")]
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"{len(commands)} commands, of which one replaces a file, {len(page):,} bytes each",
        checks=_checks(full, freed, broken=sum(found != page for found in pages)),
    )


def _checks(full: list[Saved], freed: list[Saved], *, broken: int) -> tuple[Check, ...]:
    clear = sum(saved.clear for saved in full)
    saved = sum(saved.status == 0 for saved in freed)
    return (
        Check(what="refused", seen=sum(s.status == 1 for s in full), at_least=len(full)),
        Check(what="told the file and what to do", seen=clear, at_least=len(full)),
        Check(what="files left or altered", seen=sum(s.left for s in full), at_most=0),
        Check(what="saved when it was freed", seen=saved, at_least=len(freed)),
        Check(what="reports not whole", seen=broken, at_most=0),
    )


def _save(own: Disk, command: list[str], *, name: str) -> Saved:
    before = _contents(own)
    path = own.folder / name
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *command, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    told = [str(path), "choose another place, or free some room there"]
    clear = done.stderr.count("\n") == 1 and all(words in done.stderr for words in told)
    left = len(set(_contents(own).items()) ^ set(before.items()))
    return Saved(done.returncode, clear, left)


def _contents(own: Disk) -> dict[str, bytes]:
    return {name: Path(own.folder, name).read_bytes() for name in own.files()}
