"""How much slower than an idle machine this one is while others use its processors."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SLICE = 0.005  # seconds of processor time
LOOK = 0.25  # seconds from one look to the next


class Pace:
    """Samples of how long a slice of processor time took, and how long a process had to wait."""

    def __init__(self) -> None:
        self._samples: list[float] = []
        #: seconds by which something came late at most, since the machine let it wait
        self.longest_wait = 0.0

    def sample(self) -> None:
        """Take one: a busy loop of SLICE."""
        began, spent = time.monotonic(), time.thread_time()
        while time.thread_time() - spent < SLICE:
            pass
        took = time.monotonic() - began
        self._samples.append(took / SLICE)
        self._waited(took - SLICE)

    @property
    def slowness(self) -> float:
        """Return the mean of the samples, 1 on an idle machine: what seconds may be times."""
        return max(1.0, statistics.fmean(self._samples)) if self._samples else 1.0

    def allowed(self, seconds: float) -> float:
        """Return what takes at most so long on an idle machine may take on this one.

        The mean tells of a machine that is shared all the time, the longest wait of one that let
        everything stand once.
        """
        return seconds * self.slowness + self.longest_wait

    def watch(self, stop: threading.Event) -> None:
        """Take a sample every LOOK until stopped."""
        while True:
            self.sample()
            began = time.monotonic()
            if stop.wait(LOOK):
                return
            self._waited(time.monotonic() - began - LOOK)

    def _waited(self, seconds: float) -> None:
        self.longest_wait = max(self.longest_wait, seconds)


@contextmanager
def watched() -> Iterator[Pace]:
    """Yield a pace that is sampled all along, beside whatever else goes on."""
    pace, stop = Pace(), threading.Event()
    thread = threading.Thread(target=pace.watch, args=(stop,), name="pace", daemon=True)
    thread.start()
    try:
        yield pace
    finally:
        stop.set()
        thread.join()
