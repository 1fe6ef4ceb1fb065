"""A snapshot is read no more often than it may cost, by a clock that the test turns."""

import threading

import pytest

from service.api.snapshot import SHARE
from service.api.snapshot import SHORTEST
from service.api.snapshot import Snapshot


class Source:
    """Counts how often it was read; each reading takes as long as it says."""

    def __init__(self, *, takes: float = 0.0) -> None:
        self.now = 100.0
        self.takes = takes
        self.reads = 0

    def read(self) -> int:
        self.now += self.takes
        self.reads += 1
        return self.reads

    def snapshot(self) -> Snapshot[int]:
        return Snapshot(self.read, clock=lambda: self.now)


class TestGet:
    def test_within_a_second_it_is_the_same(self) -> None:
        source = Source()
        snapshot = source.snapshot()
        assert (snapshot.get(), snapshot.get()) == (1, 1)
        source.now += SHORTEST - 0.01
        assert snapshot.get() == 1
        source.now += 0.01
        assert snapshot.get() == 2

    def test_what_takes_long_is_read_more_seldom(self) -> None:
        source = Source(takes=0.5)
        snapshot = source.snapshot()
        snapshot.get()
        source.now += 0.5 / SHARE - 0.01
        assert snapshot.get() == 1
        source.now += 0.02
        assert snapshot.get() == 2

    def test_what_raises_is_not_kept(self) -> None:
        failures = [ValueError("away")]

        def read() -> int:
            if failures:
                raise failures.pop()
            return 7

        snapshot = Snapshot(read)
        with pytest.raises(ValueError, match="away"):
            snapshot.get()
        assert snapshot.get() == 7

    def test_threads_that_ask_at_once_read_once(self) -> None:
        source = Source()
        snapshot = source.snapshot()
        threads = [threading.Thread(target=snapshot.get) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert source.reads == 1
