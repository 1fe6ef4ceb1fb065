"""What is asked of the service, how often, and what is promised of the answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from benchmarks.service_load import ground
from benchmarks.service_load.clients import Ask
from benchmarks.service_load.clients import Asks
from benchmarks.service_load.figures import NO_TARGET
from benchmarks.service_load.figures import Target
from benchmarks.service_load.ground import Sizes
from service.store import cursors

RESULT = Target(p95_ms=25)
LISTING = Target(p95_ms=50)
SUBMITTING = Target(per_second=200)

RESULTS_RATE = 100.0  # a second: each of 50 clients asks twice a second
LISTING_RATE = 25.0  # a second: each of 50 clients asks every other second
SUBMITTING_RATE = 100.0  # a second: half of what is promised


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of request."""

    name: str
    asks: Asks
    #: arrivals a second
    rate: float
    #: of latency, it is about requests at that rate; of requests a second, about a closed loop
    target: Target = NO_TARGET

    def target_of(self, *, closed: bool) -> Target:
        """Return what is promised of a closed loop, or else at the rate."""
        return self.target if closed == (self.target.per_second is not None) else NO_TARGET


def cases(sizes: Sizes, *, tenant: str | None) -> tuple[Case, ...]:
    """Return every case; with a tenant, over its own jobs only."""
    mine = _indices(sizes, tenant)
    searched = [index for index in mine if ground.searched(index)]
    old = mine[: max(1, len(mine) // 2)]
    return (
        Case(name="GET /livez", asks=_get("/livez"), rate=RESULTS_RATE),
        Case(name="GET best", asks=_best(searched), rate=RESULTS_RATE, target=RESULT),
        Case(name="GET best, long job", asks=_best([sizes.long]), rate=RESULTS_RATE, target=RESULT),
        Case(name="GET job", asks=_job(mine), rate=RESULTS_RATE),
        *_listings(old),
        Case(name="POST job", asks=post, rate=SUBMITTING_RATE, target=SUBMITTING),
    )


def small_tenant(sizes: Sizes) -> tuple[Case, ...]:
    """Return the listings of a tenant with few jobs among many."""
    return _listings(_indices(sizes, ground.SMALL_TENANT))


def mixed(sizes: Sizes) -> Asks:
    """Return requests of every kind in about the shares that pipelines and people send."""
    everything = _indices(sizes, None)
    searched = [index for index in everything if ground.searched(index)]
    jobs = _job(everything)
    kinds: Mapping[Asks, int] = {
        _best(searched): 30,
        jobs: 30,
        _under(searched, "trials"): 6,
        _under(searched, "front"): 6,
        _get("/v1/jobs?limit=20"): 8,
        _deep(everything): 4,
        _get("/v1/models"): 5,
        post: 10,
        _under(searched, "report"): 1,
    }
    choices, weights = [*kinds], [*kinds.values()]
    return lambda draws: draws.choices(choices, weights)[0](draws)


def post(draws: Random) -> Ask:
    """Return a submission."""
    labels = ground.labels(draws.randrange(1000))
    body = {"model": "tiny", "dataset": "digits", "tolerance": 0.02, "labels": labels}
    return Ask(
        path="/v1/jobs",
        method="POST",
        body=json.dumps(body | {"seed": draws.randrange(2**31)}).encode(),
        headers={"Content-Type": "application/json"},
        status=202,
    )


def _listings(old: list[int]) -> tuple[Case, ...]:
    team = f"team:team-{old[0] % ground.TEAMS}"
    common = ":".join(ground.COMMON_LABEL)
    asks = {
        "GET jobs": _get("/v1/jobs"),
        "GET jobs, deep page": _deep(old),
        "GET jobs, by state": _get("/v1/jobs?state=succeeded"),
        "GET jobs, by a rare state": _get("/v1/jobs?state=running"),
        "GET jobs, by label": _get(f"/v1/jobs?label={team}"),
        "GET jobs, by a label of every job": _get(f"/v1/jobs?label={common}"),
        "GET jobs, by label and state": _get(f"/v1/jobs?label={common}&state=failed"),
    }
    return tuple(
        Case(name=name, asks=ask, rate=LISTING_RATE, target=LISTING) for name, ask in asks.items()
    )


def _indices(sizes: Sizes, tenant: str | None) -> list[int]:
    return [index for index in range(sizes.jobs) if tenant in (None, ground.tenant(index))]


def _get(path: str) -> Asks:
    return lambda _: Ask(path=path)


def _job(indices: list[int]) -> Asks:
    return lambda draws: Ask(path=_path(draws.choice(indices)))


def _best(indices: list[int]) -> Asks:
    return _under(indices, "best")


def _under(indices: list[int], part: str) -> Asks:
    return lambda draws: Ask(path=f"{_path(draws.choice(indices))}/{part}")


def _deep(indices: list[int]) -> Asks:
    def ask(draws: Random) -> Ask:
        index = draws.choice(indices)
        cursor = cursors.encode(ground.created_at(index), ground.job_id(index))
        return Ask(path=f"/v1/jobs?cursor={cursor}")

    return ask


def _path(index: int) -> str:
    return f"/v1/jobs/{ground.job_id(index)}"
