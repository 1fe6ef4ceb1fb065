"""How slow the machine is: never less than an idle one, and more beside another's work."""

import threading
import time

from benchmarks.chaos.pace import SLICE
from benchmarks.chaos.pace import Pace


class TestPace:
    def test_without_a_sample_the_machine_counts_as_idle(self) -> None:
        assert Pace().slowness == 1.0

    def test_a_sample_takes_its_slice_of_the_processor_at_least(self) -> None:
        pace, began = Pace(), time.thread_time()
        pace.sample()
        assert time.thread_time() - began >= SLICE
        assert pace.slowness >= 1.0

    def test_a_neighbour_on_the_same_processor_slows_it_down(self) -> None:
        stop = threading.Event()

        def neighbour() -> None:
            while not stop.is_set():
                pass

        # threads of one interpreter share a processor
        busy = [threading.Thread(target=neighbour) for _ in range(2)]
        for thread in busy:
            thread.start()
        pace = Pace()
        for _ in range(10):
            pace.sample()
        stop.set()
        for thread in busy:
            thread.join()
        assert pace.slowness > 1.3
