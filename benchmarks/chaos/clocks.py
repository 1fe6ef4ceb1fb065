"""Workers whose clocks are wrong by an hour, each way, hold, lose, retry and take up jobs."""

import time
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from math import inf

from sqlalchemy import Engine

from benchmarks.chaos import requests
from benchmarks.chaos import setback
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import BEGUN
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.journal import Entry
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched
from service.cli.database import opened

FAULT = "the workers' clocks are wrong by ±1 h"
HOUR = 3600.0
LATER = 2.0  # seconds after it is due, of a machine that does nothing else
FIRST = 3  # trials before a worker is killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to what."""

    times: int = 8
    #: trials of a job
    budget: int = 300
    #: seconds
    lease: float = 3.0
    #: seconds that a job is held at least before its worker is killed
    hold: float = 4.0
    #: seconds until a job that failed is tried again
    delay: float = 3.0


LONG = Sizes()
SHORT = Sizes(times=1, budget=120, lease=5.0, hold=0.0, delay=2.0)


@dataclass
class Clocks:
    """What is under way, and what was seen. Times are seconds."""

    engine: Engine
    crew: Crew
    sizes: Sizes
    #: of the database
    url: str
    pace: Pace
    #: from when the retry was written until the job was claimed: at least, and at most; of that,
    #: how long its worker took to start after it was due does not count
    retried: list[tuple[float, float]] = field(default_factory=list)
    #: from the last sign of life, and from the kill, until the job was claimed again
    again: list[tuple[float, float]] = field(default_factory=list)

    def happen(self, job: str, *, wrong: float) -> None:
        """Fail the job, kill who takes it up, and have a third worker finish it.

        The clock of each is an hour ahead where that of the one before it is an hour behind.
        """
        began, ended = setback.happen(self.url, wrong=wrong, delay=self.sizes.delay)
        first = self.crew.start(clock=-wrong)
        until("the job is tried again", lambda: bool(self._entries(job, CLAIMED, pid=first)))
        claimed = self._entries(job, CLAIMED, pid=first)[0].at
        ready = self.crew.journal.ready(first) - self.sizes.delay
        self.retried.append((claimed - began, claimed - max(ended, ready)))
        second = self.crew.start(clock=wrong)

        def held() -> bool:
            trials = len(self._entries(job, RECORDED, pid=first))
            awaited = self.crew.journal.ready(second) < inf
            return awaited and trials >= FIRST and time.monotonic() - claimed >= self.sizes.hold

        until("a few trials are recorded", held)
        killed = self.crew.kill(first)
        until("the job is claimed again", lambda: bool(self._entries(job, CLAIMED, pid=second)))
        again = self._entries(job, CLAIMED, pid=second)[0].at
        self.again.append((again - self._alive(job, first), again - killed))
        until("the job has ended", lambda: work.final(self.engine, [job]))
        self.crew.kill(second)

    def wrong(self, since: float) -> float:
        """Return by how many seconds the clock by which workers logged was wrong at least.

        Of whatever was logged since then, by the clock of the machine.
        """
        stamps = [datetime.fromisoformat(line["timestamp"]) for line in self.crew.log()]
        off = [(stamp.timestamp() - since, stamp.timestamp() - time.time()) for stamp in stamps]
        return min(min(abs(to), abs(from_)) for to, from_ in off)

    def _entries(self, job: str, what: str, *, pid: int) -> list[Entry]:
        entries = self.crew.journal.entries()
        return [e for e in entries if (e.job, e.what, e.pid) == (job, what, pid)]

    def _alive(self, job: str, pid: int) -> float:
        """Return a moment after which the worker's lease was renewed for the last time.

        That is when the last trial that it recorded began.
        """
        last = self._entries(job, RECORDED, pid=pid)[-1].at
        return max(e.at for e in self._entries(job, BEGUN, pid=pid) if e.at < last)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Set the clocks wrong, and let jobs fail and workers die."""
    settings = {"lease_seconds": sizes.lease, "poll_seconds": 0.2}
    asked = [requests.spec(number, budget=sizes.budget) for number in range(min(3, sizes.times))]
    since = time.time()
    with watched() as pace, ground.fresh() as url, opened(url) as engine:
        with hired(ground.nursery, ground.folder / "right", database_url=url, **settings) as crew:
            outcomes = work.undisturbed(engine, crew, asked)
        with hired(ground.nursery, ground.folder / "wrong", database_url=url, **settings) as crew:
            clocks = Clocks(engine, crew, sizes, url, pace)
            ids = {}
            for number in range(sizes.times):
                job = work.submit(engine, asked[number % len(asked)])
                ids[job] = outcomes[number % len(asked)]
                clocks.happen(job, wrong=HOUR if number % 2 == 0 else -HOUR)
            claims = sum(entry.what == CLAIMED for entry in crew.journal.entries())
            return Figure(
                fault=FAULT,
                database=ground.database,
                done=f"{len(ids)} kills and retries, lease {sizes.lease:g} s, "
                f"retry after {sizes.delay:g} s",
                checks=(
                    *_checks(clocks, since=since),
                    Check(what="claims of held jobs", seen=claims - 2 * len(ids), at_most=0),
                    *work.checks(work.damage(engine, ids), crew.journal),
                ),
            )


def _checks(clocks: Clocks, *, since: float) -> tuple[Check, ...]:
    sizes, later = clocks.sizes, clocks.pace.allowed(LATER)
    return (
        Check(
            what="clocks wrong by at least",
            seen=clocks.wrong(since),
            at_least=HOUR - (time.time() - since),
            unit=" s",
        ),
        Check(
            what="job held again after the last sign of life no sooner than",
            seen=min(alive for alive, _ in clocks.again),
            at_least=sizes.lease,
            unit=" s",
        ),
        Check(
            what="after the kill at most",
            seen=max(killed for _, killed in clocks.again),
            at_most=sizes.lease + later,
            unit=" s",
        ),
        Check(
            what="retried no sooner than",
            seen=min(began for began, _ in clocks.retried),
            at_least=sizes.delay,
            unit=" s",
        ),
        Check(
            what="retried at most after",
            seen=max(ended for _, ended in clocks.retried),
            at_most=sizes.delay + later,
            unit=" s",
        ),
    )
