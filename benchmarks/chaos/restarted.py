"""PostgreSQL is aborted and started again, every few seconds, while workers search."""

import time
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Engine

from benchmarks.chaos import databases
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.databases import Postgres
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import BEGUN
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.journal import Entry
from benchmarks.chaos.pace import watched
from benchmarks.chaos.work import Outcome
from search.spec import JobSpec
from service.cli.database import opened
from service.store.errors import StoreError
from workers.metrics import End

FAULT = "PostgreSQL is restarted (`immediate`) under load"
RESUMED = 10.0  # seconds after it is back, of a machine that does nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to how much."""

    restarts: int = 8
    #: seconds from one to the next
    pauses: tuple[float, float] = (5.0, 20.0)
    #: seconds that it stays away
    away: tuple[float, float] = (0.0, 4.0)
    workers: int = 3
    #: trials of a job
    budget: int = 200


LONG = Sizes()
SHORT = Sizes(restarts=1, pauses=(1.0, 2.0), away=(0.0, 0.0), workers=2, budget=60)


@dataclass
class Load:
    """Jobs that always wait for the workers, until the last restart."""

    engine: Engine
    crew: Crew
    #: what a job comes to, and how it is asked for
    outcome: Outcome
    sizes: Sizes
    ids: dict[str, Outcome] = field(default_factory=dict)

    def feed(self) -> None:
        """See that there is a job for every worker."""
        live = [job_id for job_id in self.ids if not work.final(self.engine, [job_id])]
        for _ in range(self.sizes.workers - len(live)):
            self.ids[work.submit(self.engine, _request(self.sizes))] = self.outcome

    def under_way(self, since: float) -> set[str]:
        """Return the jobs in which a trial was recorded since then that was not the last."""
        last = {entry.job: entry for entry in self.crew.journal.entries()}
        return {job for job, e in last.items() if e.at > since and e.what in (BEGUN, RECORDED)}

    def finished(self, until: float) -> set[str]:
        """Return the jobs that had ended by then."""
        entries = self.crew.journal.entries()
        return {e.job for e in entries if e.at <= until and e.end == End.FINISHED.value}

    def until_all_go_on(self, disturbed: set[str], back: float) -> float:
        """Wait until each of these jobs went on after that moment; return how long that took.

        One that had ended by then does not need to: its last trial may have been under way when it
        was chosen, and the database may be there before whoever started it is told.
        """

        def all_do() -> bool:
            left = disturbed - self.finished(back) - self.went_on(disturbed, back).keys()
            # nor one whose end was stored when the answer to that was lost
            with suppress(StoreError):
                return work.final(self.engine, [*left])
            return False

        until("every job goes on", all_do, pause=0.1)
        return max(self.went_on(disturbed, back).values(), default=back) - back

    def went_on(self, disturbed: set[str], since: float) -> dict[str, float]:
        """Return when each of the jobs went on after that: a trial was recorded, or it ended."""
        moments: dict[str, float] = {}
        for entry in self.crew.journal.entries():
            if entry.job in disturbed and entry.at > since and _progress(entry):
                moments.setdefault(entry.job, entry.at)
        return moments


def _progress(entry: Entry) -> bool:
    return entry.what == RECORDED or entry.end == End.FINISHED.value


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Restart a server of its own while workers search, their lease being the usual one."""
    with (
        watched() as pace,
        databases.postgres(ground.folder / "data") as server,
        server.fresh() as url,
        opened(databases.migrated(url)) as engine,
        hired(ground.nursery, ground.folder / "crew", database_url=url) as crew,
    ):
        outcome = work.undisturbed(engine, crew, [_request(sizes)])[0]
        load = Load(engine, crew, outcome, sizes)
        for _ in range(sizes.workers):
            crew.start()
        resumed = [_restarted(server, load, ground=ground) for _ in range(sizes.restarts)]
        until("all jobs have ended", lambda: work.final(engine, [*load.ids]))
        crew.tend()
        damage = work.damage(engine, load.ids)
        return Figure(
            fault=FAULT,
            database=ground.database,
            done=f"{sizes.restarts} restarts under {sizes.workers} workers and {len(load.ids)} "
            "jobs, lease 30 s",
            checks=(
                Check(what="workers that ended", seen=len(crew.exits), at_most=0),
                *work.checks(damage, crew.journal),
                Check(
                    what="every job goes on after it is back within",
                    seen=max(resumed),
                    at_most=pace.allowed(RESUMED),
                    unit=" s",
                ),
            ),
        )


def _request(sizes: Sizes) -> JobSpec:
    return requests.spec(1, budget=sizes.budget)


def _restarted(server: Postgres, load: Load, *, ground: Ground) -> float:
    """Wait a while, restart the server, and return when the last job that ran went on after that.

    That is in seconds since it was back.
    """
    began = time.monotonic()
    due = began + ground.draws.uniform(*load.sizes.pauses)
    while time.monotonic() < due or len(load.under_way(began)) < load.sizes.workers:
        load.feed()
        time.sleep(0.2)
    disturbed = load.under_way(began)
    server.crash()
    time.sleep(ground.draws.uniform(*load.sizes.away))
    back = server.start()
    until("the database answers", lambda: _answers(load))
    return load.until_all_go_on(disturbed, back)


def _answers(load: Load) -> bool:
    """Feed, and tell whether that went well: connections that were open are of no use now."""
    try:
        load.feed()
    except StoreError:
        return False
    return True
