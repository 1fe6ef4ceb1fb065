"""Counts what each caller does within a minute, in this process, and says when it is too much."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from service.api.errors import TooManyRequests

MINUTE = 60.0  # seconds


class Rate:
    """At most so many in any minute for each key; shared between threads.

    It keeps when each was, for a minute; every request asks, so little else is done.
    """

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds and only goes forward."""
        self._most = a_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        #: of whoever did something in this minute of the clock, and in the one before
        self._times: dict[str, deque[float]] = {}
        self._before: dict[str, deque[float]] = {}

    def count(self, key: str) -> None:
        """Count one; raise TooManyRequests, without counting, where the minute is full."""
        now = self._clock()
        with self._lock:
            self._turn_to(int(now // MINUTE))
            times = self._times.get(key)
            if times is None:
                times = self._times[key] = self._before.pop(key, deque())
            while times and now - times[0] >= MINUTE:
                times.popleft()
            if len(times) < self._most:
                times.append(now)
                return
            wait = MINUTE - (now - times[0])
        raise TooManyRequests(self._most, wait=math.ceil(wait) or 1)

    def _turn_to(self, minute: int) -> None:
        """Forget whoever has done nothing for two minutes."""
        passed = minute - self._minute
        if passed > 0:
            self._before = self._times if passed == 1 else {}
            self._times = {}
            self._minute = minute
