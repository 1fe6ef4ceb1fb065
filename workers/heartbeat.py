"""Keeps a lease alive while a trial runs, and brings back what was said about the job meanwhile."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from types import TracebackType
from typing import Self

import structlog

from service.store.errors import LeaseLost
from service.store.errors import StoreError

log = structlog.get_logger()


class Heartbeat:
    """A thread that renews until it is stopped; use as a context manager.

    A database that does not answer is no reason to stop: the lease may outlive the outage, and if
    it does not, the next write says so.
    """

    def __init__(self, renew: Callable[[], bool], *, interval: float) -> None:
        """`renew` returns whether cancellation was requested and raises LeaseLost."""
        self._renew = renew
        self._interval = interval
        self._stop = threading.Event()
        # in a copy of the context, so that what it logs names the job
        beat = (self._beat,)
        self._thread = threading.Thread(
            target=copy_context().run, args=beat, name="heartbeat", daemon=True
        )
        self.cancel_requested = False
        self.lost: LeaseLost | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(timeout=self._interval):
            try:
                self.cancel_requested = self._renew()
            except LeaseLost as error:
                self.lost = error
                return
            except StoreError as error:
                log.warning("heartbeat missed", why=str(error))
