"""What the couriers of one process are trying, so that nobody's receivers hold up all of them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from service.store import deliveries
from service.store.shares import Full
from service.store.values import Job
from service.store.webhooks import Delivery

POLL_INTERVAL = 1.0  # seconds between two looks at the database while nothing is due


class Underway:
    """Claims for one process, at most `share` at a time of one tenant and to one receiver.

    May be used by many threads at once.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._tenants: Counter[str] = Counter()
        self._receivers: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._turn = threading.Lock()
        self._news = threading.Event()

    @contextmanager
    def claimed(
        self, engine: Engine, *, lease_seconds: float, stop: threading.Event | None = None
    ) -> Iterator[tuple[Delivery, Job] | None]:
        """Yield the next delivery that is due and fair, with its job.

        None: there is none; with `stop`, it was set before there was any. What is yielded counts as
        being tried until the block ends.
        """
        # one looks for all: two threads do not both take the last of a share, and however many
        # wait, the database is asked once an interval; whoever finds something makes way
        with self._turn:
            found = self._next(engine, lease_seconds=lease_seconds, stop=stop)
        try:
            yield found
        finally:
            if found is not None:
                self._count(found[1], by=-1)
                self.wake()

    def wake(self) -> None:
        """Let whoever looks look again at once: a share has become free, or it is time to stop."""
        self._news.set()

    def _next(
        self, engine: Engine, *, lease_seconds: float, stop: threading.Event | None
    ) -> tuple[Delivery, Job] | None:
        while stop is None or not stop.is_set():
            self._news.clear()
            found = deliveries.claim(engine, lease_seconds=lease_seconds, full=self._full())
            if found is not None:
                self._count(found[1], by=1)
                return found
            if stop is None:
                return None
            # set in between, it would be for nothing
            if not stop.is_set():
                self._news.wait(POLL_INTERVAL)
        return None

    def _count(self, job: Job, *, by: int) -> None:
        with self._counting:
            self._tenants[job.submission.tenant] += by
            if job.submission.webhook is not None:
                self._receivers[job.submission.webhook.receiver] += by
            # what is at zero is forgotten
            self._tenants, self._receivers = +self._tenants, +self._receivers

    def _full(self) -> Full:
        with self._counting:
            tenants, receivers = self._reached(self._tenants), self._reached(self._receivers)
        return Full(tenants=tenants, receivers=receivers)

    def _reached(self, counted: Counter[str]) -> frozenset[str]:
        return frozenset(name for name, many in counted.items() if many >= self._share)
