"""Counts what each caller does within a minute, in this process, and says when it is too much."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from service.api.errors import TooManyRequests


class Rate:
    """At most so many a minute for each key; shared between threads."""

    def __init__(self, a_minute: int) -> None:
        self._item = RateLimitItemPerMinute(a_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, key: str) -> None:
        """Count one; raise TooManyRequests, without counting, where the minute is full."""
        if not self._limiter.hit(self._item, key):
            reset = self._limiter.get_window_stats(self._item, key).reset_time
            raise TooManyRequests(self._item.amount, wait=max(1, round(reset - time.time())))
