"""The API is killed while clients submit; they try again with their keys until it answers."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from itertools import count
from random import Random

from sqlalchemy import Engine

from benchmarks.chaos import api
from benchmarks.chaos.api import Api
from benchmarks.chaos.crew import PATIENCE
from benchmarks.chaos.crew import WaitedInVain
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from service.cli.database import opened
from service.store import catalog
from service.store import jobs
from service.store.values import Job

FAULT = "the API is killed while clients submit"
#: a new job, and the one that the key already stands for
ACCEPTED = (202, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to how many."""

    submissions: int = 500
    clients: int = 16
    #: submissions that are accepted before the next kill, on average
    between: float = 25.0


LONG = Sizes()
SHORT = Sizes(submissions=24, clients=8, between=6.0)


@dataclass
class Submissions:
    """What is sent, and every answer that accepted it."""

    server: Api
    wanted: int
    numbers: "count[int]" = field(default_factory=count)
    #: key -> the jobs that answers to it named
    accepted: dict[str, list[str]] = field(default_factory=dict)
    #: requests that were taken and got no answer
    unanswered: int = 0
    #: answers that were neither an acceptance nor none
    others: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self) -> None:
        """Submit one after another, each until it is accepted, and then once more."""
        while (number := next(self.numbers)) < self.wanted:
            for _ in range(2):
                self._until_accepted(number)

    def _until_accepted(self, number: int) -> None:
        key = f"key-{number}"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.server.ask("POST", "/v1/jobs", body=api.body(number), key=key)
            with self.lock:
                if answer is None:
                    self.unanswered += 1
                elif answer[0] in ACCEPTED:
                    self.accepted.setdefault(key, []).append(answer[1]["id"])
                    return
                elif answer != api.NOBODY:
                    self.others.append(answer[0])
                    return
            time.sleep(0.1)
        raise WaitedInVain(f"{key} was accepted", PATIENCE)

    @property
    def answers(self) -> int:
        """How many answers accepted something."""
        with self.lock:
            return sum(map(len, self.accepted.values()))


def run(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Kill the API while clients submit."""
    with ground.fresh() as url, opened(url) as engine:
        catalog.announce(engine, api.OFFERS)
        with api.served(url, ground.folder / "api.log") as server:
            sent = Submissions(server, sizes.submissions)
            kills = _disturbed(sent, sizes, draws=ground.draws)
        stored = {job.id: job for job in _all(engine)}
    named = {key: set(ids) for key, ids in sent.accepted.items()}
    gone = sum(not ids <= stored.keys() for ids in named.values())
    return Figure(
        fault=FAULT,
        database=ground.database,
        done=f"{kills} kills during {sizes.submissions} submissions, each sent at least twice, "
        f"by {sizes.clients} clients",
        checks=(
            Check(what="kills", seen=kills, at_least=1),
            Check(what="requests cut off", seen=sent.unanswered),
            Check(what="submissions accepted", seen=len(named), at_least=sizes.submissions),
            Check(what="accepted and gone", seen=gone, at_most=0),
            Check(
                what="keys of two jobs",
                seen=sum(len(ids) > 1 for ids in named.values()),
                at_most=0,
            ),
            Check(what="jobs too many", seen=len(stored) - sizes.submissions, at_most=0),
            Check(what="other answers", seen=len(sent.others), at_most=0),
        ),
    )


def _disturbed(sent: Submissions, sizes: Sizes, *, draws: Random) -> int:
    """Let the clients submit, kill the API now and then; return how often."""
    clients = [threading.Thread(target=sent.send, daemon=True) for _ in range(sizes.clients)]
    for client in clients:
        client.start()
    kills = 0

    def at_work() -> bool:
        return any(client.is_alive() for client in clients)

    while at_work():
        due = sent.answers + draws.expovariate(1 / sizes.between)
        while at_work() and sent.answers < due:
            time.sleep(0.002)
        if at_work():
            time.sleep(draws.uniform(0, 0.02))
            sent.server.kill()
            kills += 1
            sent.server.start()
    for client in clients:
        client.join()
    return kills


def _all(engine: Engine) -> Iterator[Job]:
    """Yield every job there is."""
    cursor = None
    while True:
        page = jobs.page(engine, limit=500, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
