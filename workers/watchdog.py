"""Ends the process when one step takes longer than it may: a hung device cannot be interrupted."""

import os
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

#: exit status of a worker that its watchdog ended; whoever started it starts another
EXIT_STATUS = 70


class Watchdog:
    """Runs `cause(what, seconds)` and then `end()` once a watched step is overdue."""

    def __init__(
        self,
        cause: Callable[[str, float], None],
        end: Callable[[], None] = lambda: os._exit(EXIT_STATUS),
    ) -> None:
        self._cause = cause
        self._end = end

    @contextmanager
    def limit(self, what: str, seconds: float) -> Iterator[None]:
        """Give the block that long. `what` is told to people, such as "trial 12"."""
        # in a copy of the context, so that what it logs names the job
        timer = threading.Timer(seconds, copy_context().run, (self._overdue, what, seconds))
        timer.name, timer.daemon = "watchdog", True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _overdue(self, what: str, seconds: float) -> None:
        # whatever happens while telling, the process must end
        try:
            self._cause(what, seconds)
        finally:
            self._end()
