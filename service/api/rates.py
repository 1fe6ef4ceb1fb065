"""Counts what each caller does within a minute, in this process, and says when it is too much."""

import math
import threading
import time
from collections.abc import Callable

from service.api.errors import TooManyRequests

MINUTE = 60.0  # seconds


class Rate:
    """At most so many a minute for each key; shared between threads.

    Two numbers a key, of this minute of the clock and of the one before, which counts for as much
    of it as a minute back from now still reaches: every request asks, so little must be done.
    """

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds and only goes forward."""
        self._most = a_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._before: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def count(self, key: str) -> None:
        """Count one; raise TooManyRequests, without counting, where the minute is full."""
        minute, into = divmod(self._clock(), MINUTE)
        with self._lock:
            self._turn_to(int(minute))
            before, count = self._before.get(key, 0), self._counts.get(key, 0)
            room = self._most - 1 - count
            if before * (1 - into / MINUTE) <= room:
                self._counts[key] = count + 1
                return
        raise TooManyRequests(self._most, wait=_wait(room, count, before=before, into=into))

    def _turn_to(self, minute: int) -> None:
        """Forget whoever has done nothing for two minutes."""
        passed = minute - self._minute
        if passed > 0:
            self._before = self._counts if passed == 1 else {}
            self._counts = {}
            self._minute = minute


def _wait(room: int, count: int, *, before: int, into: float) -> int:
    """Return the whole seconds until one more has room, if nobody counts one in between."""
    if room >= 0:
        return math.ceil(MINUTE * (1 - room / before) - into) or 1
    # once this minute has passed, all that it counted but the room of one has to as well
    return math.ceil(MINUTE - into + MINUTE * (1 - (count - 1) / count))
