"""Many processes claim from one long queue at the same time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from benchmarks.chaos import queue
from benchmarks.chaos.claimers import Claim
from benchmarks.chaos.claimers import Claimers
from benchmarks.chaos.claimers import claimed
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.pace import Pace
from benchmarks.service_load.figures import percentile
from service.cli.database import opened
from service.store import jobs
from service.store.values import JobState

FAULT = "many processes claim at the same time"
SAMPLES = 10  # of how fast the machine is, each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many claim, and of how much."""

    processes: int = 32
    #: jobs that are claimed until none is left
    jobs: int = 10_000
    #: seconds that a job takes on average: a tenth of what the smallest of searches takes
    work: float = 0.3
    #: jobs in the queue of which each process claims some
    deep: int = 100_000
    claims: int = 100
    #: milliseconds that 95 % of claims may take on PostgreSQL, of a machine that does nothing else
    p95: float = 50.0


LONG = Sizes()
# few claims, beside other tests: of their latency they tell little
SHORT = Sizes(processes=8, jobs=120, work=0.15, deep=10_000, claims=6, p95=200.0)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Claim until nothing is left, then from a queue that is much longer, at last without work."""
    with ground.fresh() as url, opened(url) as engine:
        busy = Claimers(
            url=url, processes=sizes.processes, work=sizes.work, seed=ground.draws.getrandbits(32)
        )
        pace = Pace()
        _sample(pace)
        queue.fill(engine, sizes.jobs)
        emptied = claimed(busy, ground.folder / "emptied")
        _sample(pace)
        queue.fill(engine, sizes.deep)
        deep = claimed(replace(busy, claims=sizes.claims), ground.folder / "deep")
        idle = replace(busy, claims=sizes.claims, work=0.0)
        _sample(pace)
        rushed = claimed(idle, ground.folder / "rushed")
        ended = jobs.counts_by_state(engine)[JobState.SUCCEEDED]
    times = Counter(claim.job for claim in (*emptied, *deep, *rushed))
    claims = sizes.processes * sizes.claims
    bound = sizes.p95 * pace.slowness if ground.database == "postgresql" else None
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"{sizes.processes} processes whose jobs take {sizes.work * 1000:g} ms, "
        f"{sizes.jobs:,} jobs, then {claims:,} claims of {sizes.deep:,}",
        checks=(
            Check(what="double claims", seen=times.total() - len(times), at_most=0),
            Check(
                what="jobs lost", seen=sizes.jobs - len({claim.job for claim in emptied}), at_most=0
            ),
            Check(what="claims not recorded", seen=len(times) - ended, at_most=0),
            _p95(f"95 % of claims of {sizes.jobs:,} within", emptied, bound=bound),
            _p95(f"of {sizes.deep:,}", deep, bound=bound),
            _p95(f"of {sizes.deep:,} where jobs take no time", rushed, bound=None),
        ),
    )


def _sample(pace: Pace) -> None:
    """Look how fast the machine is while nobody claims: its own load is no excuse for a claim."""
    for _ in range(SAMPLES):
        pace.sample()


def _p95(what: str, claims: Sequence[Claim], *, bound: float | None) -> Check:
    """Return the time that 95 % of the claims did not exceed, the first of each process apart.

    With that one a process also connects and compiles its statements, once in its life.
    """
    seconds = percentile([claim.seconds for claim in claims if not claim.first], 0.95)
    return Check(what=what, seen=seconds * 1000, at_most=bound, unit=" ms")
