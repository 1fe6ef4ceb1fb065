"""How slow the machine is: never less than an idle one, and more beside another's work."""

import ctypes
import threading
import time

from benchmarks.chaos.pace import LOOK
from benchmarks.chaos.pace import SLICE
from benchmarks.chaos.pace import Pace
from benchmarks.chaos.pace import watched


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

    def test_what_came_late_is_allowed_for(self) -> None:
        pace = Pace()
        assert pace.allowed(2.0) == 2.0
        pace.sample()
        assert pace.allowed(2.0) == 2.0 * pace.slowness + pace.longest_wait

    def test_it_is_sampled_while_something_else_goes_on(self) -> None:
        held = ctypes.PyDLL(None).usleep
        with watched() as pace:
            time.sleep(LOOK / 2)
            # nothing else runs in this process meanwhile, as where a machine lets it wait
            held(int(1e6 * 4 * LOOK))
            time.sleep(LOOK / 2)
        assert pace.longest_wait > LOOK
