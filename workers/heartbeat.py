"""Keeps a lease alive while a trial runs, and brings back what was said about the job meanwhile."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from types import TracebackType
from typing import Self

import structlog

from service.store.errors import LeaseLost
from service.store.errors import StoreError

log = structlog.get_logger()

#: seconds for the worker to come to the end of its round once a cancellation is known
CANCEL_GRACE = 1.5


class Heartbeat:
    """A thread that renews until it is stopped; use as a context manager.

    A database that does not answer is no reason to stop: the lease may outlive the outage, and if
    it does not, the next write says so. A job that is to be cancelled ends here if a round, or
    whatever else its worker is at, does not end soon: its client need not wait for that.
    """

    def __init__(
        self,
        renew: Callable[[], bool],
        *,
        interval: float,
        cancel: Callable[[], None] = lambda: None,
    ) -> None:
        """`renew` returns whether cancellation was requested; it and `cancel` raise LeaseLost."""
        self._renew = renew
        self._interval = interval
        self._cancel = cancel
        self._stop = threading.Event()
        # in a copy of the context, so that what it logs names the job
        beat = (self._beat,)
        self._thread = threading.Thread(
            target=copy_context().run, args=beat, name="heartbeat", daemon=True
        )
        self.cancel_requested = False
        #: the job has been ended as cancelled, and there is nothing left to hold
        self.cancelled = False
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
        noticed: float | None = None
        while not self._stop.wait(timeout=self._interval):
            try:
                self.cancel_requested = self._renew()
                if not self.cancel_requested:
                    continue
                noticed = noticed or time.monotonic()
                if time.monotonic() - noticed >= CANCEL_GRACE:
                    self._cancel()
                    self.cancelled = True
                    return
            except LeaseLost as error:
                self.lost = error
                return
            except StoreError as error:
                log.warning("heartbeat missed", why=str(error))
