"""A worker is frozen, or cut off from the database, for longer than its lease, and comes back."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy import make_url

from benchmarks.chaos import late
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.journal import ENDED
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.journal import Entry
from benchmarks.chaos.relay import Relay
from service.cli.database import opened
from service.store.values import Lease
from workers.metrics import End

FROZEN = "a worker is frozen (`SIGSTOP`) for longer than its lease"
CUT_OFF = "a worker is cut off for longer than its lease, and what it sent arrives late"
FIRST = 3  # trials before it happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to what."""

    times: int = 10
    #: trials of a job
    budget: int = 150
    #: seconds
    lease: float = 3.0


LONG = Sizes()
SHORT = Sizes(times=1, budget=120)


@dataclass(frozen=True, slots=True)
class Break:
    """What comes between a worker and its job."""

    fault: str
    #: of the database, as the worker that it happens to reaches it
    url: str
    begin: Callable[[int], None]
    end: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outlived:
    """What became of an attempt that outlived its lease."""

    #: how it ended, as its worker tells
    end: str
    #: trials that it recorded beside those that the next worker took over
    late: int
    #: writes under its lease that were refused, of so many that were tried
    refused: int
    tried: int


def frozen(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Freeze workers in the middle of a job."""
    with ground.fresh() as url:
        own = Break(
            FROZEN,
            url,
            lambda pid: freeze(pid, url),
            lambda pid: os.kill(pid, signal.SIGCONT),
        )
        return _made(ground, sizes, url=url, broken=own)


def freeze(pid: int, url: str) -> None:
    """Stop a process, but not in the middle of a write to SQLite, which nobody could write beside.

    Of that the operator is told; a worker that starts then, and waits in vain, would end.
    """
    while True:
        os.kill(pid, signal.SIGSTOP)
        until("the process is stopped", lambda: _state(pid) == "T")
        if make_url(url).get_backend_name() != "sqlite" or _takes_writes(url):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)


def _state(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0]


def _takes_writes(url: str) -> bool:
    file = make_url(url).database
    assert file
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def cut_off(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Hold back, and deliver later, whatever goes between a worker and PostgreSQL."""
    with ground.fresh() as url, Relay.before(url, ground.folder / "relay") as relay:
        far = make_url(url).update_query_dict({"host": str(relay.folder)})
        own = Break(
            CUT_OFF,
            far.render_as_string(hide_password=False),
            lambda _: relay.cut(),
            lambda _: relay.mend(),
        )
        return _made(ground, sizes, url=url, broken=own)


def _made(ground: Ground, sizes: Sizes, *, url: str, broken: Break) -> Figure:
    with (
        opened(url) as engine,
        hired(
            ground.nursery,
            ground.folder / "crew",
            database_url=url,
            lease_seconds=sizes.lease,
            poll_seconds=0.2,
        ) as crew,
    ):
        asked = [requests.spec(n, budget=sizes.budget) for n in range(min(3, sizes.times))]
        outcomes = work.undisturbed(engine, crew, asked)
        ids, seen = {}, []
        for number in range(sizes.times):
            job = work.submit(engine, asked[number % len(asked)])
            ids[job] = outcomes[number % len(asked)]
            seen.append(_outlive(engine, crew, job=job, broken=broken))
        damage = work.damage(engine, ids)
        tried = sum(one.tried for one in seen)
        return Figure(
            fault=broken.fault,
            database=ground.database,
            done=f"{len(seen)} times, lease {sizes.lease:g} s",
            checks=(
                Check(
                    what="workers that noticed",
                    seen=sum(one.end == End.LEASE_LOST for one in seen),
                    at_least=len(seen),
                ),
                Check(what="trials recorded late", seen=sum(o.late for o in seen), at_most=0),
                Check(what="writes refused", seen=sum(o.refused for o in seen), at_least=tried),
                *work.checks(damage, crew.journal),
            ),
        )


def _outlive(engine: Engine, crew: Crew, *, job: str, broken: Break) -> Outlived:
    """Break in on a worker, have another one finish the job, and see what the first one does."""
    first = crew.start(database_url=broken.url)

    def entries(pid: int, what: str) -> list[Entry]:
        return [e for e in crew.journal.entries() if (e.pid, e.what, e.job) == (pid, what, job)]

    until("a few trials are recorded", lambda: len(entries(first, RECORDED)) >= FIRST)
    broken.begin(first)
    second = crew.start()
    until("another worker has claimed the job", lambda: bool(entries(second, CLAIMED)))
    until("it has recorded a trial", lambda: bool(entries(second, RECORDED)))
    resumed = entries(second, RECORDED)[0].number or 0
    broken.end(first)
    until("the first worker gave up", lambda: bool(entries(first, ENDED)))
    refused, tried = late.refused(engine, Lease(job, entries(first, CLAIMED)[0].attempt))
    until("the job has ended", lambda: work.final(engine, [job]))
    # what it had committed before is not late, though it could only tell of that afterwards
    recorded = [entry for entry in entries(first, RECORDED) if (entry.number or 0) >= resumed]
    end = entries(first, ENDED)[0].end
    for pid in (first, second):
        crew.kill(pid)
    return Outlived(end, len(recorded), refused, tried)
