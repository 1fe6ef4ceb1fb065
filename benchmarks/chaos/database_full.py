"""The disk of the database is filled while workers search and clients submit, and then freed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from itertools import count
from typing import LiteralString

import psycopg

from benchmarks.chaos import api
from benchmarks.chaos import databases
from benchmarks.chaos import disk
from benchmarks.chaos import intact
from benchmarks.chaos import requests
from benchmarks.chaos import restarted
from benchmarks.chaos import work
from benchmarks.chaos.api import Answer
from benchmarks.chaos.api import Api
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.databases import Postgres
from benchmarks.chaos.disk import Disk
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.pace import watched
from benchmarks.chaos.restarted import Load
from service.cli.database import opened

FAULT = "the disk of the database is full, and then freed"
RESUMED = 10.0  # seconds after it is freed, of a machine that does nothing else
#: one that is mounted in memory: SQLite's log takes 4 MB, a PostgreSQL server 42 MB at first
ROOM = {"sqlite": "24m", "postgresql": "160m"}
FULL, AWAY = "urn:bitfloor:problem:database-full", "urn:bitfloor:problem:database-unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to how much."""

    times: int = 6
    #: seconds that it stays full, each in turn: once shorter than the lease and once longer
    full: tuple[float, ...] = (2.0, 8.0)
    workers: int = 3
    #: trials of a job
    budget: int = 200
    #: seconds
    lease: float = 5.0


LONG = Sizes()
SHORT = Sizes(times=1, full=(1.0,), workers=2, budget=200)


@dataclass
class Client:
    """Submits until that is refused, and what was refused once more until it is accepted."""

    server: Api
    numbers: "count[int]" = field(default_factory=lambda: count(1000))
    accepted: dict[str, str] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    #: answers that are neither an acceptance nor a clear refusal
    others: list[Answer | None] = field(default_factory=list)

    def refuse(self) -> bool:
        """Submit one job; tell whether it was refused for want of room."""
        number = next(self.numbers)
        answer = self._submit(number)
        if self._is_accepted(number, answer):
            return False
        self.refused.append(number)
        return answer is not None and answer[1].get("type") == FULL

    def accept(self) -> bool:
        """Submit again what was refused; tell whether all of it has been accepted."""
        self.refused = [n for n in self.refused if not self._is_accepted(n, self._submit(n))]
        return not self.refused

    def _submit(self, number: int) -> Answer | None:
        body = api.body(number) | {"budget": 1}
        return self.server.ask("POST", "/v1/jobs", body=body, key=f"key-{number}")

    def _is_accepted(self, number: int, answer: Answer | None) -> bool:
        if answer is not None and answer[0] in (200, 202):
            self.accepted[f"key-{number}"] = answer[1]["id"]
            return True
        if answer is None or answer[0] != 503 or answer[1].get("type") not in (FULL, AWAY):
            self.others.append(answer)
        return False


@dataclass
class Filling:
    """What is filled and freed again and again."""

    disk: Disk
    load: Load
    client: Client
    #: the server on the disk, if the database is one
    server: Postgres | None
    url: str
    sizes: Sizes
    #: seconds from each time it was freed until the last job went on that ran before
    resumed: list[float] = field(default_factory=list)
    #: how often the server gave up
    stopped: int = 0

    def once(self, seconds: float, *, log_too: bool) -> None:
        """Fill it for so long; `log_too`: so that PostgreSQL's log has no room either."""
        began = time.monotonic()
        workers = self.sizes.workers
        until("every worker is at a job", lambda: len(self._under_way(began)) >= workers)
        disturbed = self.load.under_way(began)
        before = self.told()
        self._use_up()
        self.disk.fill()
        until("a submission is refused", self.client.refuse)
        # a server that has given up says no more why, and what was free in its pages may last a job
        until(
            "a worker is told, or none needs room",
            lambda: self.told() > before or work.final(self.load.engine, [*disturbed]),
        )
        if log_too and self.server is not None:
            self._fill_log()
        time.sleep(seconds)
        self.disk.free()
        back = time.monotonic()
        if log_too and self.server is not None:
            # as whatever runs it would
            back = self.server.start()
        until("what was refused is accepted", self.client.accept, pause=0.2)
        # a database that is full may still have room for what a job needed to its end
        self.resumed.append(self.load.until_all_go_on(disturbed, back))

    def told(self) -> int:
        """Return how often the workers have said that it is full."""
        return sum("is full" in entry.get("why", "") for entry in self.load.crew.log())

    def _under_way(self, since: float) -> set[str]:
        self.load.feed()
        return self.load.under_way(since)

    def _use_up(self) -> None:
        """Have SQLite's log take room anew with the next write, and PostgreSQL's not for long."""
        if self.server is None:
            with self.load.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self._write("SELECT pg_switch_wal()", "CHECKPOINT")

    def _fill_log(self) -> None:
        """Have the server need room for its log, which it cannot go on without."""
        assert self.server is not None
        until("the server has given up", self._gave_up, pause=0.2)
        self.stopped += 1

    def _gave_up(self) -> bool:
        """Have it begin another file of its log, and tell whether it has ended of that.

        One after another: it keeps files of old log, and writes those full first.
        """
        assert self.server is not None
        with suppress(psycopg.Error):
            self._write("SELECT pg_switch_wal()", "CREATE TEMPORARY TABLE more (number int)")
        return not self.server.runs()

    def _write(self, *statements: LiteralString) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Fill the disk of a database of its own while workers search and clients submit."""
    with (
        watched() as pace,
        disk.small(ground.folder / "disk", ROOM[ground.database]) as own,
        _on(own, ground) as (server, url),
        opened(databases.migrated(url)) as engine,
        hired(
            ground.nursery, ground.folder / "crew", database_url=url, lease_seconds=sizes.lease
        ) as crew,
    ):
        shape = restarted.Sizes(workers=sizes.workers, budget=sizes.budget)
        outcome = work.undisturbed(engine, crew, [requests.spec(1, budget=sizes.budget)])[0]
        load = Load(engine, crew, outcome, shape)
        with api.served(url, ground.folder / "api.log") as served:
            filling = Filling(own, load, Client(served), server, url, sizes)
            for _ in range(sizes.workers):
                crew.start()
            for time_ in range(sizes.times):
                filling.once(sizes.full[time_ % len(sizes.full)], log_too=time_ % 3 == 0)
        ids = [*load.ids, *filling.client.accepted.values()]
        until("all jobs have ended", lambda: work.final(engine, ids))
        crew.tend()
        damage = work.damage(engine, load.ids)
        checks = (
            Check(what="workers' words on it", seen=filling.told(), at_least=1),
            Check(what="workers that ended", seen=len(crew.exits), at_most=0),
            Check(what="other answers", seen=len(filling.client.others), at_most=0),
            Check(what="faults in the database", seen=intact.faults(url), at_most=0),
            *work.checks(damage, crew.journal),
            Check(
                what="every job goes on after it is freed within",
                seen=max(filling.resumed),
                at_most=pace.allowed(RESUMED),
                unit=" s",
            ),
        )
    return Figure(
        fault=FAULT, database=ground.database, done=_done(filling, jobs=len(ids)), checks=checks
    )


def _done(filling: Filling, *, jobs: int) -> str:
    sizes = filling.sizes
    seconds = " and ".join(f"{each:g}" for each in sizes.full)
    told = f"{sizes.times} times for {seconds} s under {sizes.workers} workers and {jobs} jobs"
    told += f", lease {sizes.lease:g} s"
    if filling.stopped:
        told += f"; the server gave up {filling.stopped} times for want of a log and was started"
    return told


@contextmanager
def _on(own: Disk, ground: Ground) -> Iterator[tuple[Postgres | None, str]]:
    """Yield a database on the disk, and its server if it has one."""
    if ground.database == "sqlite":
        with databases.sqlite(own.folder) as url:
            yield None, url
    else:
        with databases.postgres(own.folder / "data") as server, server.fresh() as url:
            yield server, url
