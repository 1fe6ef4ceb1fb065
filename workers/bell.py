"""Wakes a worker that waits: rung when there may be work, or when it shall stop."""

from queue import Empty
from queue import SimpleQueue


class Bell:
    """May be rung from any thread and from a signal handler; one thread waits for it.

    A ring while nobody waits is kept, so that none is missed between a look and the wait for it.
    """

    def __init__(self) -> None:
        # of all that the standard library has to wait on, what a signal handler may safely use
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """End the wait, this one or the next."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait that long at most; return whether it was rung."""
        try:
            self._rings.get(timeout=seconds)
        except Empty:
            return False
        return True
