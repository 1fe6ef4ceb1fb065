"""Ends a worker in time once it was asked to stop, whatever step it is in."""

import os
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from contextvars import copy_context

import structlog

from service.store.errors import StoreError

log = structlog.get_logger()

SECONDS = 6.0  # from being asked to stop until the job is taken from under the step
GIVE_BACK_SECONDS = 2.0  # for the database to answer; then the lease has to lapse


class Departure:
    """Gives the job back and ends the process if the worker does not leave by itself.

    It looks at `stop` between rounds. Importing a library, reading a network, one batch of a large
    one or a proposal after thousands of trials cannot be interrupted, and need not be: what was
    recorded stays, and nothing else is lost.
    """

    def __init__(
        self,
        stop: threading.Event,
        *,
        seconds: float = SECONDS,
        end: Callable[[], None] = lambda: os._exit(os.EX_OK),
    ) -> None:
        self._stop = stop
        self._seconds = seconds
        self._end = end
        self._held: tuple[Callable[[], None], Context] | None = None

    def start(self) -> None:
        """Watch `stop` from now on, in a thread."""
        threading.Thread(target=self._watch, name="departure", daemon=True).start()

    @contextmanager
    def holding(self, give_back: Callable[[], None]) -> Iterator[None]:
        """Note how to give back what the worker holds during the block."""
        # with the context, so that what is logged names the job
        self._held = (give_back, copy_context())
        try:
            yield
        finally:
            self._held = None

    def _watch(self) -> None:
        self._stop.wait()
        time.sleep(self._seconds)
        # whatever giving back does, the process must end
        timer = threading.Timer(GIVE_BACK_SECONDS, self._end)
        timer.daemon = True
        timer.start()
        try:
            if self._held is not None:
                give_back, context = self._held
                context.run(_told, give_back)
        finally:
            self._end()


def _told(give_back: Callable[[], None]) -> None:
    try:
        give_back()
    except StoreError as error:
        log.warning("left without giving the job back; its lease will lapse", why=str(error))
    else:
        log.info("released in the middle of a step")
