"""Something that is costly to read, read so seldom that asking for it often stays cheap."""

import threading
import time
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

Value = TypeVar("Value")

SHORTEST = 1.0  # seconds that a value is kept at least
SHARE = 0.05  # of the time, at most, goes into reading


class Snapshot(Generic[Value]):
    """Reads when asked, unless what was read last is fresh; threads that ask at once read once."""

    def __init__(
        self, read: Callable[[], Value], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` is in seconds and only goes forward."""
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: list[Value] = []
        self._stale_at = 0.0

    def get(self) -> Value:
        """Return what was read within the last second, or longer ago where reading is slow."""
        with self._lock:
            began = self._clock()
            if not self._kept or began >= self._stale_at:
                self._kept = [self._read()]
                ended = self._clock()
                self._stale_at = ended + max(SHORTEST, (ended - began) / SHARE)
            return self._kept[0]
