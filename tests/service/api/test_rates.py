"""A caller has so many requests in any minute, each caller its own."""

import pytest

from service.api.errors import TooManyRequests
from service.api.rates import MINUTE
from service.api.rates import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * MINUTE

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def passed(rate: Rate, key: str = "a", *, tries: int) -> int:
    """Return how many of the tries are let through."""
    count = 0
    for _ in range(tries):
        try:
            rate.count(key)
        except TooManyRequests:
            continue
        count += 1
    return count


class TestCount:
    def test_a_minute_holds_so_many_and_no_more(self, clock: Clock) -> None:
        assert passed(Rate(5, clock=clock), tries=8) == 5

    def test_each_key_has_its_own(self, clock: Clock) -> None:
        rate = Rate(5, clock=clock)
        assert passed(rate, "a", tries=8) == 5
        assert passed(rate, "b", tries=8) == 5

    def test_what_is_refused_does_not_count(self, clock: Clock) -> None:
        rate = Rate(4, clock=clock)
        passed(rate, tries=100)
        clock.now += 0.5 * MINUTE
        assert passed(rate, tries=100) == 0
        clock.now += 0.5 * MINUTE
        assert passed(rate, tries=100) == 4

    @pytest.mark.parametrize("into", [0.0, 0.4, 0.99])
    def test_where_a_minute_of_the_clock_ends_gives_nobody_twice_as_much(
        self, clock: Clock, into: float
    ) -> None:
        clock.now += into * MINUTE
        rate = Rate(100, clock=clock)
        times: list[float] = []
        for _ in range(4_000):
            times += [clock.now] * passed(rate, tries=1)
            clock.now += MINUTE / 1_000
        busiest = max(sum(one <= other < one + MINUTE for other in times) for one in times)
        assert busiest == 100
        assert len(times) == 400  # in four minutes

    def test_after_two_quiet_minutes_all_is_forgotten(self, clock: Clock) -> None:
        rate = Rate(5, clock=clock)
        passed(rate, tries=5)
        clock.now += 2 * MINUTE
        assert passed(rate, tries=8) == 5

    @pytest.mark.parametrize("into", [0.0, 0.25, 0.9])
    @pytest.mark.parametrize("later", [0.0, 0.75])
    def test_the_wait_it_tells_is_enough(self, clock: Clock, into: float, later: float) -> None:
        clock.now += into * MINUTE
        rate = Rate(7, clock=clock)
        passed(rate, tries=7)
        clock.now += later * MINUTE
        passed(rate, tries=7)
        with pytest.raises(TooManyRequests) as refused:
            rate.count("a")
        assert 1 <= refused.value.wait <= MINUTE
        clock.now += refused.value.wait
        rate.count("a")
