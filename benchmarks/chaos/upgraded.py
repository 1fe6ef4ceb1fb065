"""A database of an earlier release is migrated while its worker holds a job, and others wait."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Engine

from benchmarks.chaos import earlier
from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.earlier import Heart
from benchmarks.chaos.earlier import Rows
from benchmarks.chaos.earlier import Tables
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched
from benchmarks.chaos.work import Damage
from benchmarks.chaos.work import Outcome
from service.cli.database import opened
from service.store import jobs
from service.store import leases
from service.store import session
from service.store import trials
from service.store.values import Lease
from service.store.values import Setup

FAULT = "the database of an earlier release is migrated while jobs run"
HELD_AGAIN = 2.0  # seconds after the lease, of a machine that does nothing else
LONG_LEASE = 3600.0  # seconds, until its worker's heart beats for the first time
EARLIER = 5  # trials that were recorded before
JOBS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """From how many schemas, and with what."""

    #: earlier ones to start from, the last one first; None: all
    schemas: int | None = None
    #: trials of a job
    budget: int = 100
    #: seconds
    lease: float = 3.0


LONG = Sizes()
SHORT = Sizes(schemas=1, budget=12, lease=6.0)


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier release had come to."""

    #: of all jobs: one held, one given back after a few trials, one that nobody has claimed
    rows: tuple[Rows, ...]
    #: of the one that is held, with a trial more
    later: Rows
    outcomes: tuple[Outcome, ...]

    @property
    def ids(self) -> Mapping[str, Outcome]:
        """What each job comes to undisturbed."""
        owners = [earlier.owner(rows["jobs"][0]) for rows in self.rows]
        return dict(zip(owners, self.outcomes, strict=True))


@dataclass
class Seen:
    """What came of the migrations. Times are seconds."""

    pace: Pace
    #: workers that did not refuse to start before the migration
    early: int = 0
    #: renewals by the earlier release, before, during and after the migration
    beats: int = 0
    missed: int = 0
    #: claims of the job while its lease was held
    robbed: int = 0
    #: trials that were recorded before and searched again
    repeated: int = 0
    twice: int = 0
    #: that a migration took
    migrated: list[float] = field(default_factory=list)
    #: from the last sign of life of the earlier release until the job was claimed
    again: list[float] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Migrate from each of the schemas, and have workers of this release go on."""
    past = _past(ground, sizes)
    with watched() as pace:
        return _upgraded(ground, sizes, past=past, seen=Seen(pace))


def _upgraded(ground: Ground, sizes: Sizes, *, past: Past, seen: Seen) -> Figure:
    schemas = earlier.revisions()[: sizes.schemas]
    for number, revision in enumerate(schemas):
        with (
            ground.blank() as url,
            opened(url) as engine,
            hired(
                ground.nursery,
                ground.folder / str(number),
                database_url=url,
                lease_seconds=sizes.lease,
                poll_seconds=0.2,
            ) as crew,
        ):
            earlier.migrate(engine, revision)
            _upgrade(engine, crew, past=past, seen=seen, lease=sizes.lease)
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"from {len(schemas)} earlier schemas, {JOBS} jobs each, lease {sizes.lease:g} s",
        checks=_checks(seen, sizes),
    )


def _past(ground: Ground, sizes: Sizes) -> Past:
    """Return the rows of jobs in the middle, as they are in a database of their own."""
    asked = [requests.spec(number, budget=sizes.budget) for number in range(JOBS)]
    with (
        ground.fresh() as url,
        opened(url) as engine,
        hired(ground.nursery, ground.folder / "past", database_url=url) as crew,
    ):
        outcomes = work.undisturbed(engine, crew, asked)
        setups = [_setup(engine, job.id) for job in reversed(jobs.page(engine).items)]
        ids = [work.submit(engine, one) for one in asked]
        tables = Tables(engine)
        _searched(engine, setups[0], outcome=outcomes[0])
        lease = _searched(engine, setups[1], outcome=outcomes[1])
        leases.release(engine, lease)
        rows = tuple(tables.rows(job) for job in ids)
        held = Lease(ids[0], attempt=1)
        trials.record(
            engine, held, outcomes[0].history[EARLIER], seconds=1.0, lease_seconds=LONG_LEASE
        )
        return Past(rows, tables.rows(ids[0]), tuple(outcomes))


def _setup(engine: Engine, job: str) -> Setup:
    setup = jobs.get(engine, job).setup
    assert setup is not None
    return setup


def _searched(engine: Engine, setup: Setup, *, outcome: Outcome) -> Lease:
    """Claim the next job and record the first of the trials that it comes to."""
    taken = leases.claim(engine, lease_seconds=LONG_LEASE)
    assert taken is not None
    lease = taken[0]
    leases.begin(engine, lease, setup)
    for trial in outcome.history[:EARLIER]:
        trials.record(engine, lease, trial, seconds=1.0, lease_seconds=LONG_LEASE)
    return lease


def _upgrade(engine: Engine, crew: Crew, *, past: Past, seen: Seen, lease: float) -> None:
    """Migrate under the held lease, have its worker go on for a while, and then die."""
    tables = Tables(engine)
    for rows in past.rows:
        tables.add(rows)
    held, *others = past.ids
    crew.start()
    until("a worker that came too early has ended", lambda: bool(crew.tend()))
    seen.early += sum(status == 0 for _, status in crew.exits)
    heart = Heart(tables, past.rows[0]["jobs"][0]["id"], lease=lease)
    with heart.beating():
        until("the lease is renewed", lambda: heart.beats > 0)
        began = time.monotonic()
        session.migrate(engine)
        seen.migrated.append(time.monotonic() - began)
        for _ in range(2):
            crew.start()
        tables.record(past.later)
        until("the other jobs have ended", lambda: work.final(engine, others))
    stopped = time.monotonic()
    seen.beats += heart.beats
    seen.missed += heart.missed
    until("its job has ended, too", lambda: work.final(engine, [held]))
    entries = crew.journal.entries()
    claims = [entry.at for entry in entries if (entry.job, entry.what) == (held, CLAIMED)]
    seen.again.append(claims[0] - stopped)
    seen.robbed += sum(at < stopped for at in claims)
    known = dict(zip(past.ids, (EARLIER + 1, EARLIER, 0), strict=True))
    recorded = [entry for entry in entries if entry.what == RECORDED]
    seen.repeated += sum((entry.number or 0) < known[entry.job] for entry in recorded)
    seen.twice += crew.journal.twice()
    seen.damage.append(work.damage(engine, past.ids))


def _checks(seen: Seen, sizes: Sizes) -> tuple[Check, ...]:
    return (
        Check(what="workers that started before", seen=seen.early, at_most=0),
        Check(what="renewals by the earlier release", seen=seen.beats, at_least=1),
        Check(what="renewals that failed", seen=seen.missed, at_most=0),
        Check(what="claims of the held job", seen=seen.robbed, at_most=0),
        Check(what="migrated within", seen=max(seen.migrated), unit=" s"),
        Check(
            what="held again after at most",
            seen=max(seen.again),
            at_most=sizes.lease + seen.pace.allowed(HELD_AGAIN),
            unit=" s",
        ),
        Check(what="jobs lost", seen=sum(one.jobs for one in seen.damage), at_most=0),
        Check(
            what="trials lost or altered", seen=sum(one.trials for one in seen.damage), at_most=0
        ),
        Check(what="trials searched again", seen=seen.repeated, at_most=0),
        Check(what="trials recorded twice", seen=seen.twice, at_most=0),
        Check(what="results altered", seen=sum(one.results for one in seen.damage), at_most=0),
    )
