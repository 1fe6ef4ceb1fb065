"""The first one is waited for as long as it takes, the others so much longer."""

import pytest

from workers.cluster.gathering import in_time
from workers.errors import Stopping

PATIENCE = 10.0


class Arrivals:
    """Some who are there from a moment on, and the clock by which they are; a look takes 1 s."""

    def __init__(self, *moments: float) -> None:
        self.moments = moments
        self.now = 0.0

    def look(self) -> list[float]:
        self.now += 1.0
        return [moment for moment in self.moments if moment <= self.now]

    def come_in_time(self) -> list[float]:
        found = in_time(
            self.look, wanted=len(self.moments), patience=PATIENCE, clock=lambda: self.now
        )
        return list(found)


class TestInTime:
    def test_all_that_come_are_taken_at_once(self) -> None:
        arrivals = Arrivals(2.0, 3.0, 3.0)
        assert arrivals.come_in_time() == [2.0, 3.0, 3.0]
        assert arrivals.now == 3.0

    def test_one_that_never_comes_is_waited_for_so_long_after_the_first(self) -> None:
        arrivals = Arrivals(5.0, 9.0, float("inf"))
        assert arrivals.come_in_time() == [5.0, 9.0]
        assert arrivals.now == 5.0 + PATIENCE

    @pytest.mark.parametrize("slow", [PATIENCE + 1, 100 * PATIENCE])
    def test_if_it_takes_the_first_long_the_others_are_waited_for_all_the_same(
        self, slow: float
    ) -> None:
        arrivals = Arrivals(slow, slow + 3, slow + PATIENCE)
        assert arrivals.come_in_time() == [slow, slow + 3, slow + PATIENCE]

    def test_a_look_may_interrupt(self) -> None:
        def look() -> list[int]:
            raise Stopping

        with pytest.raises(Stopping):
            in_time(look, wanted=2, patience=PATIENCE)
