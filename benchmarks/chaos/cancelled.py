"""Jobs are cancelled, and put before or behind others, in the middle of their trials."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Engine

from benchmarks.chaos import api
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.api import Api
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
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched
from service.cli.database import opened
from service.store import jobs
from service.store.values import JobState
from workers.metrics import End

FAULT = "a job is cancelled, or its priority changed, in the middle of a trial"
SOON = 5.0  # seconds, of a machine that does nothing else
BUDGET = 2000  # trials: more than there is time for
MARGIN = 0.25  # MiB that a worker may hold beyond those before the job
MIB = 2**20  # bytes
LOOKS = 5  # at what an idle worker holds
FIRST = 2  # trials before it happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often each of the two happens."""

    times: int = 15
    #: seconds after the first trials until it happens, on average
    pause: float = 0.5


LONG = Sizes()
SHORT = Sizes(times=1, pause=0.1)


@dataclass
class Desk:
    """Somebody who submits and changes their mind, and what came of it. Times are seconds."""

    ground: Ground
    sizes: Sizes
    engine: Engine
    crew: Crew
    server: Api
    #: from the request until the job was cancelled
    ended: list[float] = field(default_factory=list)
    #: from the request until its worker took the next job, or could have
    free: list[float] = field(default_factory=list)
    #: from the request until its memory was released
    released: list[float] = field(default_factory=list)
    #: bytes that a worker held during a job beyond those before it
    held: list[int] = field(default_factory=list)
    #: claims after a change of priority: whether they went by it
    obeyed: list[bool] = field(default_factory=list)
    #: requests that were not answered as they should be
    refused: int = 0
    pace: Pace = field(default_factory=Pace)

    def warm_up(self) -> None:
        """Have the only worker load what it loads for its first job and keeps."""
        job = self._submit()
        self._under_way(job)
        self._cancel_and_wait(job)

    def at_rest(self, pid: int) -> int:
        """Return how many bytes an idle worker holds, once it has let go of its last job."""
        looks = []
        for _ in range(LOOKS):
            looks.append(self.crew.held(pid))
            time.sleep(0.1)
        return min(looks)

    def cancel_and_look(self, pid: int, *, at_rest: int) -> None:
        """Cancel the only job of a worker that held so many bytes before it, and look again."""
        job = self._submit()
        self._under_way(job)
        self.held.append(self.crew.held(pid) - at_rest)
        asked = self._cancel_and_wait(job)
        until("its memory is released", lambda: self.crew.held(pid) <= at_rest + MARGIN * MIB)
        self.released.append(time.monotonic() - asked)

    def reorder(self, pid: int) -> int:
        """Put the younger of two jobs first and then, while it runs, last; return the new worker.

        What runs stays with its worker; once that gives it back, it goes behind the other.
        """
        running = self._submit()
        self._under_way(running)
        older, younger = self._submit(), self._submit()
        self._ask(younger, "priority", {"priority": 10}, status=200)
        asked = self._cancel(running)
        self._next_is(younger, instead_of=older, since=asked)
        self.free.append(max(0.0, self._entries(younger, CLAIMED)[0].at - asked))
        self._under_way(younger)
        self._ask(younger, "priority", {"priority": -10}, status=200)
        os.kill(pid, signal.SIGTERM)
        until("the worker has stopped", lambda: pid in dict(self.crew.tend()))
        began = time.monotonic()
        second = self.crew.start()
        self._next_is(older, instead_of=younger, since=began)
        self._under_way(older)
        self._cancel(older)
        self._under_way(younger, attempt=2)
        self._cancel(younger)
        return second

    def _submit(self) -> str:
        number = len(self.ended)
        asked = requests.spec(number, budget=BUDGET, sampler="random")
        return work.submit(self.engine, asked)

    def _under_way(self, job: str, *, attempt: int = 1) -> None:
        """Wait until it is in the middle of its trials, at a moment that is drawn."""

        def recorded() -> int:
            return sum(entry.attempt == attempt for entry in self._entries(job, RECORDED))

        until("a few trials are recorded", lambda: recorded() >= FIRST)
        time.sleep(self.ground.draws.expovariate(1 / self.sizes.pause))

    def _cancel(self, job: str) -> float:
        """Cancel it and wait for that; return when it was asked for."""
        asked = time.monotonic()
        self._ask(job, "cancel", None, status=202)
        until("the job has ended", self._reached(job, JobState.CANCELLED))
        self.ended.append(time.monotonic() - asked)
        return asked

    def _cancel_and_wait(self, job: str) -> float:
        """Cancel it, wait until its worker could take another, and return when it was asked for."""
        asked = self._cancel(job)
        until("the worker is free", lambda: bool(self._entries(job, ENDED)))
        self.free.append(max(0.0, self._entries(job, ENDED)[0].at - asked))
        return asked

    def _reached(self, job: str, state: JobState) -> Callable[[], bool]:
        return lambda: jobs.outline(self.engine, job).state is state

    def _ask(self, job: str, what: str, body: dict[str, int] | None, *, status: int) -> None:
        answer = self.server.ask("POST", f"/v1/jobs/{job}/{what}", body=body)
        self.refused += answer is None or answer[0] != status

    def _next_is(self, job: str, *, instead_of: str, since: float) -> None:
        """Wait for the first claim of either job since then; note whether it is the right one's."""

        def claims() -> list[Entry]:
            both = [*self._entries(job, CLAIMED), *self._entries(instead_of, CLAIMED)]
            return [entry for entry in both if entry.at > since]

        until("one of the two is claimed", lambda: bool(claims()))
        self.obeyed.append(min(claims(), key=lambda entry: entry.at).job == job)

    def cancelled(self) -> int:
        """Return how many attempts their workers tell to have ended so, once all of them told."""

        def told() -> int:
            ends = (entry.end for entry in self.crew.journal.entries() if entry.what == ENDED)
            return sum(end == End.CANCELLED.value for end in ends)

        until("every worker has told", lambda: told() >= len(self.ended))
        return told()

    def _entries(self, job: str, what: str) -> list[Entry]:
        return [e for e in self.crew.journal.entries() if (e.job, e.what) == (job, what)]


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Cancel jobs and change priorities through the API, while one worker searches."""
    folder = ground.folder
    with (
        ground.fresh() as url,
        opened(url) as engine,
        # on a GPU where there is one
        hired(ground.nursery, folder / "crew", database_url=url, device="auto") as crew,
        api.served(url, folder / "api.log") as server,
        watched() as pace,
    ):
        desk = Desk(ground, sizes, engine, crew, server, pace=pace)
        pid = crew.start()
        desk.warm_up()
        at_rest = desk.at_rest(pid)
        for _ in range(sizes.times):
            desk.cancel_and_look(pid, at_rest=at_rest)
        for _ in range(sizes.times):
            pid = desk.reorder(pid)
        return Figure(
            fault=FAULT,
            database=ground.database,
            done=f"{len(desk.ended)} cancellations, {len(desk.obeyed)} changes",
            checks=_checks(desk),
        )


def _checks(desk: Desk) -> tuple[Check, ...]:
    changes, soon = len(desk.obeyed), desk.pace.allowed(SOON)
    return (
        Check(what="requests refused", seen=desk.refused, at_most=0),
        Check(what="attempts that ended so", seen=desk.cancelled(), at_least=len(desk.ended)),
        Check(what="cancelled within", seen=max(desk.ended), at_most=soon, unit=" s"),
        Check(what="its worker free within", seen=max(desk.free), at_most=soon, unit=" s"),
        Check(
            what="memory held by a job", seen=min(desk.held) / MIB, at_least=2 * MARGIN, unit=" MiB"
        ),
        Check(
            what=f"all but {MARGIN:g} MiB of it released within",
            seen=max(desk.released),
            at_most=soon,
            unit=" s",
        ),
        Check(what="claims by the new priority", seen=sum(desk.obeyed), at_least=changes),
    )
