"""Pauses: ever longer, over about a day, and spread."""

import pytest

from service.store.deliveries import MAX_TRIES
from service.store.webhooks import Outcome
from service.webhooks.backoff import retry_in

FAILED = Outcome(status=500, error="the receiver answered 500")
HOUR = 3600.0


def pauses(draw: float) -> list[float]:
    found = [retry_in(tries, FAILED, draw=draw) for tries in range(1, MAX_TRIES)]
    return [pause for pause in found if pause is not None]


class TestRetryIn:
    def test_each_pause_is_four_times_the_one_before(self) -> None:
        assert pauses(0.5) == pytest.approx([15, 60, 240, 960, 3840, 15_360, 61_440])

    @pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
    def test_all_tries_together_take_about_a_day(self, draw: float) -> None:
        assert len(pauses(draw)) == MAX_TRIES - 1
        assert 18 * HOUR < sum(pauses(draw)) < 28 * HOUR

    def test_chance_makes_a_pause_longer_or_shorter(self) -> None:
        assert retry_in(1, FAILED, draw=0.0) == pytest.approx(12)
        assert retry_in(1, FAILED, draw=1.0) == pytest.approx(18)

    def test_after_the_last_try_there_is_none(self) -> None:
        assert retry_in(MAX_TRIES, FAILED, draw=0.5) is None

    def test_a_receiver_that_wants_no_more_is_left_alone(self) -> None:
        assert retry_in(1, Outcome(status=410, error="gone"), draw=0.5) is None
