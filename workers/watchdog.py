"""Ends the process when one step takes longer than it may: a hung device cannot be interrupted."""

import faulthandler
import os
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

#: exit status of a worker that its watchdog ended; whoever started it starts another
EXIT_STATUS = 70
#: seconds more for a step that lets no other thread of Python run, this one's included
GRACE = 10.0

_STDERR = 2  # the file descriptor, whatever Python calls stderr


class Watchdog:
    """Runs `cause(what, seconds)` and then `end()` once a watched step is overdue.

    A step that holds on to the interpreter would keep it from that: GRACE later the process ends
    without a word but the stack, with status 1, by a thread that needs no interpreter.
    """

    def __init__(
        self,
        cause: Callable[[str, float], None],
        end: Callable[[], None] = lambda: os._exit(EXIT_STATUS),
        *,
        grace: float = GRACE,
    ) -> None:
        self._cause = cause
        self._end = end
        self._grace = grace

    @contextmanager
    def limit(self, what: str, seconds: float) -> Iterator[None]:
        """Give the block that long. `what` is told to people, such as "trial 12"."""
        # in a copy of the context, so that what it logs names the job
        timer = threading.Timer(seconds, copy_context().run, (self._overdue, what, seconds))
        timer.name, timer.daemon = "watchdog", True
        timer.start()
        # one for the process, which has one step at a time
        last = min(seconds + self._grace, threading.TIMEOUT_MAX)
        faulthandler.dump_traceback_later(last, exit=True, file=_STDERR)
        try:
            yield
        finally:
            timer.cancel()
            faulthandler.cancel_dump_traceback_later()

    def _overdue(self, what: str, seconds: float) -> None:
        # whatever happens while telling, the process must end
        try:
            self._cause(what, seconds)
        finally:
            self._end()
