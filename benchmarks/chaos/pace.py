"""How much slower than an idle machine this one is while others use its processors."""

import statistics
import time

SLICE = 0.005  # seconds of processor time


class Pace:
    """Samples of how long a slice of processor time took."""

    def __init__(self) -> None:
        self._samples: list[float] = []

    def sample(self) -> None:
        """Take one: a busy loop of SLICE."""
        began, spent = time.monotonic(), time.thread_time()
        while time.thread_time() - spent < SLICE:
            pass
        self._samples.append((time.monotonic() - began) / SLICE)

    @property
    def slowness(self) -> float:
        """Return the mean of the samples, 1 on an idle machine: what seconds may be times."""
        return max(1.0, statistics.fmean(self._samples)) if self._samples else 1.0
