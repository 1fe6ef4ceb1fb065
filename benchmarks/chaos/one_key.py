"""Many clients submit with one key at the same time, to every API process there is."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.chaos import api
from benchmarks.chaos.api import Answer
from benchmarks.chaos.api import Api
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from service.cli.database import opened
from service.store import catalog
from service.store import jobs

FAULT = "clients submit at once with one `Idempotency-Key`"
CREATED, FOUND, CONFLICT = 202, 200, 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many, and how often."""

    clients: int = 100
    #: keys, one after another
    keys: int = 20
    #: processes that serve the database
    servers: int = 2


LONG = Sizes()
SHORT = Sizes(keys=1, servers=1)


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Submit the same with one key, and then something else with it."""
    with ground.fresh() as url, opened(url) as engine, ExitStack() as stack:
        catalog.announce(engine, api.OFFERS)
        log = ground.folder / "api.log"
        servers = [stack.enter_context(api.served(url, log)) for _ in range(sizes.servers)]
        same = [_at_once(servers, sizes, key=key, body=lambda _: 0) for key in range(sizes.keys)]
        # no two of them are alike, and none is what the key stands for
        other = [
            _at_once(servers, sizes, key=key, body=lambda number: 1 + number)
            for key in range(sizes.keys)
        ]
        stored = sum(jobs.counts_by_state(engine).values())
    asked = sizes.clients * sizes.keys
    statuses = Counter(status for answers in same for status, _ in answers)
    refused = Counter(status for answers in other for status, _ in answers)[CONFLICT]
    named = [{document.get("id") for _, document in answers} for answers in same]
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"{sizes.clients} submissions at a time, {sizes.keys} keys, "
        f"{sizes.servers} API processes",
        checks=(
            Check(what="jobs too many", seen=stored - sizes.keys, at_most=0),
            Check(what="keys without a job", seen=sizes.keys - stored, at_most=0),
            Check(what="answers that name another job", seen=_excess(named), at_most=0),
            Check(what="answers 202", seen=statuses[CREATED], at_most=sizes.keys),
            Check(what="202 or 200", seen=statuses[CREATED] + statuses[FOUND], at_least=asked),
            Check(what="another body answered 409", seen=refused, at_least=asked),
        ),
    )


def _at_once(
    servers: list[Api], sizes: Sizes, *, key: int, body: Callable[[int], int]
) -> list[Answer]:
    """Send from all clients at the same moment and return the answers; none is NOBODY."""
    gate = threading.Barrier(sizes.clients)
    answers = [api.NOBODY] * sizes.clients

    def send(number: int) -> None:
        server, sent = servers[number % len(servers)], api.body(body(number))
        gate.wait()
        answers[number] = server.ask("POST", "/v1/jobs", body=sent, key=f"key-{key}") or api.NOBODY

    clients = [threading.Thread(target=send, args=(number,)) for number in range(sizes.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return answers


def _excess(named: list[set[str | None]]) -> int:
    """Return how many ids there are beyond one for each key."""
    return sum(len(ids) - 1 for ids in named)
