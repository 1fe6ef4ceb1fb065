"""The disk of the workers' cache is full for longer than three attempts take, and then freed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sqlalchemy import Engine

from benchmarks.chaos import disk
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.disk import Disk
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched
from search.spec import JobSpec
from service.cli.database import opened
from service.store import jobs
from service.store.leases import MAX_FAILURES
from service.store.values import JobState
from workers.retry import FIRST_DELAY
from workers.room import DiskFull

FAULT = "the disk of the workers' cache is full, and then freed"
DATASET = "pictures"
RESUMED = 10.0  # seconds after the pause that is due by then, of a machine that does nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much, and for how long."""

    #: attempts at every job that find the disk full
    attempts: int = 2 * MAX_FAILURES - 1
    #: jobs that need the cache; there are as many that do not
    jobs: int = 3
    workers: int = 2
    #: trials of a job
    budget: int = 40


LONG = Sizes()
SHORT = Sizes(attempts=MAX_FAILURES, jobs=1, budget=12)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Fill the disk of a cache of its own before anything is in it."""
    needy = [_request(number, sizes, dataset=f"arrays/{DATASET}") for number in range(sizes.jobs)]
    # those of the informed sampler keep the sensitivity that they measured
    others = [_request(0, sizes, seed=number) for number in range(sizes.jobs)]
    _save_pictures(ground.folder / "datasets")
    with (
        watched() as pace,
        disk.small(ground.folder / "disk", "4m") as own,
        ground.fresh() as url,
        opened(url) as engine,
        hired(
            ground.nursery,
            ground.folder / "crew",
            database_url=url,
            data_root=str(ground.folder / "datasets"),
            cache_dir=str(own.folder / "cache"),
        ) as crew,
    ):
        outcomes = work.undisturbed(engine, crew, needy + others)
        for path in own.files():
            (own.folder / path).unlink(missing_ok=True)
        own.fill()
        for _ in range(sizes.workers):
            crew.start()
        starved = [work.submit(engine, asked) for asked in needy]
        unharmed = [work.submit(engine, asked) for asked in others]
        until("the jobs that do not need it have ended", lambda: work.final(engine, unharmed))
        _until_put_off(engine, starved, attempts=sizes.attempts)
        checks = _starved(engine, crew, own=own, starved=starved, pace=pace)
        crew.tend()
        ids = dict(zip(starved + unharmed, outcomes, strict=True))
        checks += work.checks(work.damage(engine, ids), crew.journal)
        checks += (Check(what="workers that ended", seen=len(crew.exits), at_most=0),)
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"for {sizes.attempts} attempts at each of {sizes.jobs} jobs that need it, beside as "
        "many that do not",
        checks=checks,
    )


def _request(number: int, sizes: Sizes, **said: object) -> JobSpec:
    return requests.spec(number, budget=sizes.budget, **said)


def _save_pictures(root: Path) -> None:
    """Save the embedded network's digits as pictures that have to be fitted into the cache."""
    found = load_digits()
    root.mkdir()
    pixels = (found.images * (255 / 16)).round().astype(np.uint8)
    np.savez(root / f"{DATASET}.npz", images=pixels[:, None], labels=found.target.astype(np.int64))


def _until_put_off(engine: Engine, starved: list[str], *, attempts: int) -> None:
    def are() -> bool:
        seen = [jobs.outline(engine, job_id) for job_id in starved]
        return all(j.attempt >= attempts and j.state is JobState.QUEUED for j in seen)

    until("every job was put off often enough", are, pause=0.1)


def _starved(
    engine: Engine, crew: Crew, *, own: Disk, starved: list[str], pace: Pace
) -> tuple[Check, ...]:
    """Free the disk, which was found full often enough, and see the jobs end."""
    errors = [jobs.get(engine, job_id).error for job_id in starved]
    failures = [jobs.get(engine, job_id).failures for job_id in starved]
    left = own.files()
    own.free()
    recorded = len([e for e in crew.journal.entries() if e.what == RECORDED])
    due = FIRST_DELAY * 2 ** (max(jobs.outline(engine, j).attempt for j in starved) - 1)
    resumed = until(
        "a job goes on",
        lambda: len([e for e in crew.journal.entries() if e.what == RECORDED]) > recorded,
    )
    until("all jobs have ended", lambda: work.final(engine, starved))
    folder = str(own.folder / "cache")
    clear = [
        e is not None
        and e.code == DiskFull.code
        and folder in e.message
        and "free some" in e.message
        for e in errors
    ]
    kept_out = sum(e.get("event") == "a sensitivity is not kept" for e in crew.log())
    return (
        Check(what="jobs told what is full and what to do", seen=sum(clear), at_least=len(starved)),
        Check(what="attempts counted against them", seen=sum(failures), at_most=0),
        Check(what="sensitivities not kept", seen=kept_out, at_least=1),
        Check(what="files left half-written", seen=len(left), at_most=0),
        Check(
            what="goes on after it is freed within",
            seen=resumed,
            at_most=due + pace.allowed(RESUMED),
            unit=" s",
        ),
    )
