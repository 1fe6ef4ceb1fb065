"""The benchmark's own arithmetic: percentiles, rates, drift, and when a target is met."""

import pytest

from benchmarks.service_load.figures import NO_TARGET
from benchmarks.service_load.figures import Run
from benchmarks.service_load.figures import Target
from benchmarks.service_load.figures import drift
from benchmarks.service_load.figures import line
from benchmarks.service_load.figures import met
from benchmarks.service_load.figures import percentile

#: of 20 requests in two seconds one took 90 ms and the others 10
RUN = Run(latencies=[0.09, *[0.01] * 19], seconds=2.0, server_cpu=0.1, client_cpu=0.02)


class TestPercentile:
    @pytest.mark.parametrize(
        "share, value", [(0.01, 1), (0.5, 50), (0.505, 51), (0.95, 95), (0.99, 99), (1.0, 100)]
    )
    def test_is_the_nearest_rank_in_any_order(self, share: float, value: int) -> None:
        assert percentile([*range(100, 0, -1)], share) == value

    def test_of_one_value_is_that_value(self) -> None:
        assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


class TestMet:
    @pytest.mark.parametrize(
        "target, answer",
        [
            (NO_TARGET, None),
            (Target(p95_ms=10.5), True),
            (Target(p95_ms=10.0), False),  # it is to be below
            (Target(per_second=10.0), True),
            (Target(per_second=10.1), False),
            (Target(p95_ms=10.5, per_second=10.1), False),
        ],
    )
    def test_every_part_of_a_target_counts(self, target: Target, answer: bool | None) -> None:
        assert met(RUN, target) is answer


class TestLine:
    def test_times_are_milliseconds_and_processor_time_is_that_of_one_request(self) -> None:
        assert line(RUN, Target(p95_ms=25)) == {
            "requests": 20,
            "per_second": 10.0,
            "p50_ms": 10.0,
            "p95_ms": 10.0,
            "p99_ms": 90.0,
            "server_cpu_ms": 5.0,
            "client_cpu_ms": 1.0,
            "target": {"p95_ms": 25},
            "met": True,
        }


class TestDrift:
    @pytest.mark.parametrize(
        "sizes, share", [([100, 100], 0.0), ([100, 112, 104], 0.12), ([100, 101, 80], -0.2)]
    )
    def test_the_farthest_sample_counts_on_either_side(
        self, sizes: list[int], share: float
    ) -> None:
        assert drift(sizes) == pytest.approx(share)
