"""Workers are killed at random points of their jobs, again and again."""

import os
import signal
import time
from dataclasses import dataclass
from dataclasses import field
from math import inf

from sqlalchemy import Engine

from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import PATIENCE
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import WaitedInVain
from benchmarks.chaos.crew import hired
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched
from benchmarks.chaos.work import Outcome
from search.spec import JobSpec
from service.cli.database import opened
from service.store import jobs
from service.store.leases import MAX_FAILURES
from service.store.values import JobState

FAULT = "a worker is killed (`kill -9`)"
HELD_AGAIN = 2.0  # seconds after the lease, of a machine that does nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to what it happens."""

    kills: int = 300
    jobs: int = 40
    #: jobs that are live at a time; there is one worker more
    live: int = 7
    #: trials of a job
    budget: int = 100
    #: seconds from one kill to the next, on average
    pause: float = 0.75
    #: seconds
    lease: float = 3.0


LONG = Sizes()
SHORT = Sizes(kills=3, jobs=2, live=2, budget=20, pause=0.7, lease=5.0)


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker that was killed while it held a job."""

    at: float
    job: str
    attempt: int


@dataclass
class Hunt:
    """What is under way: jobs that are fed to workers, and workers that are killed."""

    ground: Ground
    sizes: Sizes
    engine: Engine
    crew: Crew
    #: what is asked for, and what it comes to undisturbed
    wanted: list[tuple[JobSpec, Outcome]]
    pace: Pace
    ids: dict[str, Outcome] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)

    def carry_on(self) -> None:
        """Feed and kill until all jobs have ended."""
        due = started = time.monotonic()
        while not self._ended():
            if time.monotonic() - started > PATIENCE + 2 * self.sizes.kills:
                raise WaitedInVain("all jobs have ended", PATIENCE)
            self.crew.tend()
            while len(self.crew.pids) <= self.sizes.live:
                self.crew.start()
            if len(self.kills) < self.sizes.kills and time.monotonic() >= due and self._kill():
                due = time.monotonic() + self.ground.draws.expovariate(1 / self.sizes.pause)
            time.sleep(0.01)

    def _ended(self) -> bool:
        live = [job_id for job_id in self.ids if not work.final(self.engine, [job_id])]
        while len(live) < self.sizes.live and self._wants_more():
            asked, outcome = self.wanted[len(self.ids) % len(self.wanted)]
            live.append(work.submit(self.engine, asked))
            self.ids[live[-1]] = outcome
        return not live

    def _wants_more(self) -> bool:
        """Tell whether there are too few jobs, or they ended before there were enough kills."""
        return len(self.ids) < self.sizes.jobs or len(self.kills) < self.sizes.kills

    def _kill(self) -> bool:
        """Kill a worker that holds a job; return whether that was possible."""
        busy = [pid for pid in self.crew.pids if self._may_be_killed(pid)]
        if not busy:
            return False
        pid = self.ground.draws.choice(busy)
        # it does nothing while it is looked at once more
        os.kill(pid, signal.SIGSTOP)
        held = self.crew.journal.holder(pid)
        if held is None or not self._may_be_killed(pid):
            os.kill(pid, signal.SIGCONT)
            return False
        self.kills.append(Kill(self.crew.kill(pid), held.job, held.attempt))
        return True

    def _may_be_killed(self, pid: int) -> bool:
        """Tell whether the worker holds a job that would not rightly fail for one loss more.

        A job that has ended may not have been noted as ended yet, and nobody has to hold it again.
        """
        held = self.crew.journal.holder(pid)
        if held is None:
            return False
        job = jobs.outline(self.engine, held.job)
        return job.state is JobState.RUNNING and job.failures < MAX_FAILURES - 1


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Kill workers while they search."""
    specs = [requests.spec(n, budget=sizes.budget) for n in range(min(6, sizes.jobs))]
    with (
        watched() as pace,
        ground.fresh() as url,
        opened(url) as engine,
        hired(
            ground.nursery,
            ground.folder,
            database_url=url,
            lease_seconds=sizes.lease,
            poll_seconds=0.2,
        ) as crew,
    ):
        outcomes = work.undisturbed(engine, crew, specs)
        begun = crew.journal.begun()
        wanted = list(zip(specs, outcomes, strict=True))
        hunt = Hunt(ground, sizes, engine, crew, wanted, pace)
        hunt.carry_on()
        damage = work.damage(engine, hunt.ids)
        recorded = sum(len(outcome.history) for outcome in hunt.ids.values())
        lost = crew.journal.begun() - begun - recorded
        again = _held_again(hunt)
        return Figure(
            fault=FAULT,
            database=ground.database,
            done=f"{len(hunt.kills)} kills over {len(hunt.ids)} jobs, lease {sizes.lease:g} s",
            checks=(
                Check(what="kills", seen=len(hunt.kills), at_least=sizes.kills),
                *work.checks(damage, crew.journal),
                Check(what="trials of work lost", seen=lost, at_most=len(hunt.kills)),
                Check(
                    what="job held again after at most",
                    seen=max(again, default=inf),
                    at_most=sizes.lease + pace.allowed(HELD_AGAIN),
                    unit=" s",
                ),
                Check(what="workers that ended by themselves", seen=len(crew.exits), at_most=0),
            ),
        )


def _held_again(hunt: Hunt) -> list[float]:
    """Return how many seconds each job was held by nobody after its worker was killed.

    One whose end the database had just been told of needs no more to be held.
    """
    claims = {(e.job, e.attempt): e.at for e in hunt.crew.journal.entries() if e.what == CLAIMED}
    last = {job: jobs.outline(hunt.engine, job).attempt for job in hunt.ids}
    return [
        claims.get((kill.job, kill.attempt + 1), inf) - kill.at
        for kill in hunt.kills
        if last[kill.job] > kill.attempt
    ]
