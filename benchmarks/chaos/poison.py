"""Jobs that kill or hurt their worker are in the queue, beside jobs that do not.

How much time poison takes from the others is a matter of its dose, so what is told of that is the
time that one such job takes: of its attempts, and until a worker that died is replaced and has a
job again. It is replaced after as many seconds as `bitfloor up` or Compose would take to start one,
and that to load torch. What must hold is that poison takes nothing else: what it leaves of the
workers' time the others use as they use all of it without. That is compared in time and not in
trials, which the same machine carries out faster and slower as others use it.
"""

from collections import Counter
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from benchmarks.chaos import poisons
from benchmarks.chaos import requests
from benchmarks.chaos import restarted
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import hired
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.restarted import Load
from benchmarks.chaos.ward import EVER
from benchmarks.chaos.ward import Spell
from benchmarks.chaos.ward import Ward
from service.cli.database import opened
from service.store import jobs
from service.store.leases import MAX_FAILURES
from service.store.values import Job
from service.store.values import JobState

FAULT = "a job kills its worker, runs out of memory, hangs, or holds NaN"
KEPT = 0.95  # of the others' throughput
#: kind of poison -> the code of the error that its job must end with
CAUSES: Mapping[str, str] = {
    "segfault": "worker-lost",
    "killed": "worker-lost",
    "hang": "timeout",
    "stuck": "worker-lost",
    "out-of-memory": "out-of-memory",
    "device-full": "out-of-memory",
    poisons.NAN_WEIGHTS: "non-finite-weights",
    poisons.NAN_ACTIVATIONS: "non-finite-activations",
}
#: of these, what would fail the same way again and is not tried again
AT_ONCE = (poisons.NAN_WEIGHTS, poisons.NAN_ACTIVATIONS)
HANGS = ("hang", "stuck")
#: for want of memory
SHORT_OF = ("out-of-memory", "device-full", "half-fits")
HALVED = "out of memory; once more with half the images at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of it, and beside what."""

    #: seconds without, with and again without poison; None: no throughput is compared
    spells: tuple[float, float, float] | None = (60.0, 240.0, 60.0)
    #: as many as there are processors, or a worker that hangs would lend the others its own
    workers: int = 2
    #: trials of a job that is not poisonous
    budget: int = 200
    #: seconds
    lease: float = 5.0
    #: seconds until a worker that died is replaced
    restart: float = 5.0
    #: seconds that a trial of a job that hangs may take
    timeout: float = 3.0


LONG = Sizes()
SHORT = Sizes(spells=None, workers=3, budget=20, lease=8.0, restart=0.0)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Put poisonous jobs among others, and first one before a worker that is alone."""
    poisons.install(ground.folder / "packages")
    with (
        ground.fresh() as url,
        opened(url) as engine,
        hired(
            ground.nursery,
            ground.folder / "crew",
            database_url=url,
            lease_seconds=sizes.lease,
            poll_seconds=0.2,
        ) as crew,
    ):
        crew.packages.append(str(ground.folder / "packages"))
        # so that a job always waits
        shape = restarted.Sizes(workers=sizes.workers + 2, budget=sizes.budget)
        outcome = work.undisturbed(engine, crew, [requests.spec(1, budget=sizes.budget)])[0]
        ward = Ward(
            engine,
            crew,
            Load(engine, crew, outcome, shape),
            workers=sizes.workers,
            restart=sizes.restart,
        )
        alone = _submit(engine, "segfault", sizes)
        ward.start()
        ward.until_ended([alone])
        ward.fill()
        ids, kept = _among_others(ward, sizes)
        ward.until_ended([*ids.values(), *ward.load.ids])
        found = {kind: jobs.get(engine, job_id) for kind, job_id in ids.items()}
        found["alone"] = jobs.get(engine, alone)
        damage = work.damage(engine, ward.load.ids)
        checks = (*_ends(found, crew), *kept, *work.checks(damage, crew.journal))
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"one job of each of {len(ids)} kinds among {len(ward.load.ids)} others, "
        f"{sizes.workers} workers, replaced after {sizes.restart:g} s, lease {sizes.lease:g} s",
        checks=checks,
    )


def _submit(engine: Engine, kind: str, sizes: Sizes) -> str:
    # of the others none is to be overdue, though they share the machine with those that hang
    overdue = {"trial_timeout": sizes.timeout} if kind in HANGS else {}
    asked = requests.spec(1, budget=2, model=f"{poisons.PACKAGE}/{kind}", **overdue)
    return work.submit(engine, asked)


def _among_others(ward: Ward, sizes: Sizes) -> tuple[dict[str, str], tuple[Check, ...]]:
    """Queue a job of each kind behind others; return them, and what became of the others' pace."""
    kinds = (*CAUSES, "half-fits")
    if sizes.spells is None:
        ward.load.feed()
        return {kind: _submit(ward.engine, kind, sizes) for kind in kinds}, ()
    before, during, after = sizes.spells
    first = ward.spell(before)
    ids = {kind: _submit(ward.engine, kind, sizes) for kind in kinds}
    poisoned = ward.spell(during)
    ward.until_ended([*ids.values()])
    last = ward.spell(after)
    own = {*ids.values()}
    pure = _share(ward, (first, last), own)
    rate = (first.trials + last.trials) / (first.seconds + last.seconds)
    return ids, (
        Check(
            what="of the time that it leaves them the others use, as of all time without it",
            seen=100 * _share(ward, (poisoned,), own) / pure,
            at_least=100 * KEPT,
            unit=" %",
        ),
        Check(
            what="a poisonous job takes",
            seen=ward.taken(own, EVER) / len(ids),
            unit=" s of one worker",
        ),
        Check(what="trials of others a minute without it", seen=60 * rate),
        Check(what="with it", seen=60 * poisoned.trials / poisoned.seconds),
    )


def _share(ward: Ward, spells: Collection[Spell], poisonous: Collection[str]) -> float:
    """Return the share of the workers' time that the others use, of what poison leaves them."""
    used = sum(ward.taken(ward.load.ids, spell) for spell in spells)
    gone = sum(ward.taken(poisonous, spell) for spell in spells)
    return used / (ward.workers * sum(spell.seconds for spell in spells) - gone)


def _ends(found: Mapping[str, Job], crew: Crew) -> tuple[Check, ...]:
    """Return how the poisonous jobs ended, of which one may need no more than fewer images."""
    poisonous = {kind: job for kind, job in found.items() if kind != "half-fits"}
    named = sum(
        job.state is JobState.FAILED
        and job.error is not None
        and job.error.code == CAUSES.get(kind, "worker-lost")
        for kind, job in poisonous.items()
    )
    attempts = sum(
        job.attempt == (1 if kind in AT_ONCE else MAX_FAILURES) for kind, job in poisonous.items()
    )
    once, fits = _halved(found, crew), found["half-fits"]
    return (
        Check(what="ended with the cause", seen=named, at_least=len(poisonous)),
        Check(
            what="after as many attempts as they may have", seen=attempts, at_least=len(poisonous)
        ),
        Check(what="tried once with half the images an attempt", seen=once, at_least=len(SHORT_OF)),
        Check(what="attempts of the one that half fit", seen=fits.attempt, at_most=1),
        Check(
            what="it ended searched",
            seen=int(fits.state in (JobState.SUCCEEDED, JobState.INFEASIBLE)),
            at_least=1,
        ),
        Check(what="workers that died", seen=len(crew.exits), at_least=MAX_FAILURES),
    )


def _halved(found: Mapping[str, Job], crew: Crew) -> int:
    """Return how many of those short of memory tried half the images once whenever they were.

    An attempt that was starved of time until its lease lapsed never got there.
    """
    log = crew.log()
    halved = Counter(entry.get("job") for entry in log if entry.get("event") == HALVED)
    gave_up = Counter(entry.get("job") for entry in log if entry.get("code") == "out-of-memory")
    fitted = {found["half-fits"].id: 1}
    wanted = {(job := found[kind].id): gave_up[job] + fitted.get(job, 0) for kind in SHORT_OF}
    return sum(halved[job] == tries >= 1 for job, tries in wanted.items())
