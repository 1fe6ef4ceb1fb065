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


class Underway:
    """Claims for one process, at most `share` at a time of one tenant and to one receiver.

    May be used by many threads at once.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._tenants: Counter[str] = Counter()
        self._receivers: Counter[str] = Counter()
        self._turn = threading.Lock()

    @contextmanager
    def claimed(
        self, engine: Engine, *, lease_seconds: float
    ) -> Iterator[tuple[Delivery, Job] | None]:
        """Yield the next delivery that is due and fair, with its job; None while there is none.

        It counts as being tried until the block ends.
        """
        # one at a time, so that two threads do not both take the last of a share
        with self._turn:
            found = deliveries.claim(engine, lease_seconds=lease_seconds, full=self._full())
            if found is not None:
                self._count(found[1], by=1)
        try:
            yield found
        finally:
            if found is not None:
                with self._turn:
                    self._count(found[1], by=-1)

    def _count(self, job: Job, *, by: int) -> None:
        self._tenants[job.submission.tenant] += by
        if job.submission.webhook is not None:
            self._receivers[job.submission.webhook.receiver] += by
        # what is at zero is forgotten
        self._tenants, self._receivers = +self._tenants, +self._receivers

    def _full(self) -> Full:
        return Full(tenants=self._reached(self._tenants), receivers=self._reached(self._receivers))

    def _reached(self, counted: Counter[str]) -> frozenset[str]:
        return frozenset(name for name, many in counted.items() if many >= self._share)
