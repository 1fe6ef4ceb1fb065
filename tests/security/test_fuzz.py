"""Whatever the OpenAPI document allows or forbids is answered as the document says, never by a 5xx.

`make fuzz` sends thousands of requests; here it is a few hundred, the same ones every time.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from service.api.app import create_app
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.access import DEFAULT_TENANT
from service.store.access import Scope
from service.store.values import Job
from service.store.values import JobState
from tests.contracts import samples
from tests.security.fuzzing import Fuzzer
from tests.security.fuzzing import Target
from tests.security.fuzzing import table
from tests.service.api import deployment
from tests.service.api import hooks
from tests.service.api.doors import LOCKED
from tests.service.api.doors import bearer
from tests.service.api.doors import token

OFFERED: dict[str, list[Any]] = {
    "model": ["tiny"],
    "dataset": ["digits"],
    "sampler": ["bitfloor", "random"],
    "quantizers": [["affine"], ["affine", "affine_mse"]],
    "points": [{}, {"*.squeeze": {"exclude": True}}],
}
SEED = 20_261_123
FEWEST = 250  # requests
FEW, ROUND = 10, 100  # examples of each kind for each operation, here and by `make fuzz`


def filled(engine: Engine) -> list[Job]:
    """Fill the database with a job in every state, most of them with trials; return them."""
    deployment.announce(engine)
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    lease = deployment.running(engine, goal="front")
    deployment.record(engine, lease, *deployment.MIXED, deployment.EARLY)
    leases.end_infeasible(engine, lease, deployment.INFEASIBLE_DOCUMENT)
    lease = deployment.running(engine)
    leases.fail(engine, lease, samples.ERROR)
    deployment.enqueue(engine, seed=1, labels={"team": "vision"}, idempotency_key="taken")
    jobs.request_cancel(engine, deployment.enqueue(engine, seed=2, webhook=hooks.WEBHOOK).id)
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    for number in range(3, 8):
        deployment.enqueue(engine, seed=number, priority=number, labels={"team": "ranking"})
    # the oldest first: it succeeded
    page = jobs.page(engine, limit=100)
    return list(reversed(page.items))


@pytest.fixture
def fuzzer(engine: Engine) -> Iterator[Fuzzer]:
    """Return what sends to a served application over a database that is not empty."""
    found = filled(engine)
    told = hooks.tried(engine)
    unhindered: dict[str, Any] = {"requests_per_minute": 10**6, "guesses_per_minute": 10**6}
    app = create_app(engine, replace(LOCKED, **unhindered, webhook_hosts=hooks.HOSTS))
    shown = token(engine, DEFAULT_TENANT, scopes=frozenset(Scope))
    ended = [job.id for job in found if job.state.final]
    cursors = jobs.page(engine, limit=3).next_cursor
    later = trials.page(engine, ended[-1], limit=2, cursor=None).next_cursor
    known = {
        "cursor": [cursor for cursor in (cursors, later) if cursor],
        "label": ["team:vision", "team:"],
        "idempotency-key": ["taken"],
        "last-event-id": ["3"],
    }
    with deployment.served(app) as address:
        target = Target(
            address=address,
            document=app.openapi(),
            jobs=[job.id for job in found],
            ended=ended,
            waiting=[job.id for job in found if job.state is JobState.QUEUED],
            offered=OFFERED,
            told=(told.job_id, [told.id]),
            known=known,
        )
        with requests.Session() as session:
            session.headers.update(bearer(shown))
            yield Fuzzer(target, session)


def test_every_answer_is_one_that_is_documented(
    fuzzer: Fuzzer, request: pytest.FixtureRequest
) -> None:
    wanted = int(request.config.getoption("--fuzz"))
    number = SEED
    while fuzzer.sent.total() < max(wanted, FEWEST):
        if wanted:
            fuzzer.run(ROUND, number=number)
        else:
            fuzzer.run(FEW, number=number, stride=4)
        number += 1
    print(f"\n{table(fuzzer.sent)}")  # noqa: T201 - what `make fuzz` tells
    labels = {label for label, _ in fuzzer.sent}
    documented = fuzzer.target.document["paths"]
    assert labels == {
        f"{method.upper()} {path}" for path, methods in documented.items() for method in methods
    }
    # real content was reached, or nothing was shown
    reached = {label for label, status in fuzzer.sent if status in {200, 202}}
    assert reached == labels
