"""The closed form gives each point noise in proportion to its size, and nothing else."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import lin
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.cost import memory_bits
from search.trial import Hits
from tests.contracts.networks import made_up_spec


def bits(allocation: BitAllocation) -> tuple[int, ...]:
    return tuple(config.bit_width for _, config in allocation.items())


class TestOffsets:
    def test_four_times_the_values_take_one_bit_less(self) -> None:
        points = (QuantizationPoint("a", 4096), QuantizationPoint("b", 1024))
        assert lin.offsets(points) == pytest.approx({"a": 0, "b": 1})

    def test_a_bit_that_gains_half_as_much_moves_twice_as_many(self) -> None:
        points = (QuantizationPoint("a", 4096), QuantizationPoint("b", 1024))
        halved = lin.offsets(points, decibels_per_bit=lin.DECIBELS_PER_BIT / 2)
        assert halved == pytest.approx({"a": 0, "b": 2})

    @given(
        st.lists(st.integers(1, 10**6), min_size=2, max_size=6),
        st.lists(st.floats(-1, 1), min_size=6, max_size=6),
    )
    def test_no_other_bits_of_the_same_noise_are_fewer(
        self, sizes: list[int], moves: list[float]
    ) -> None:
        points = [QuantizationPoint(str(index), n) for index, n in enumerate(sizes)]
        optimal = list(lin.offsets(points).values())
        other = [b + move for b, move in zip(optimal, moves, strict=False)]
        # 6.02 dB a bit: noise falls by four; shift the other allocation to the same noise
        noise = [sum(4.0**-b for b in each) for each in (optimal, other)]
        other = [b + math.log(noise[1] / noise[0], 4) for b in other]
        total = [sum(n * b for n, b in zip(sizes, each, strict=True)) for each in (optimal, other)]
        assert total[0] <= total[1] + 1e-6 * sum(sizes)


class TestFamily:
    def test_all_points_rise_together_and_small_ones_are_ahead(self) -> None:
        spec = made_up_spec(quantizers=("affine",), bit_widths=(2, 3, 4))
        # 64, 32, 16 and 8 values: half a bit from one to the next
        assert [bits(allocation) for allocation in lin.family(spec)] == [
            (2, 2, 2, 2),
            (2, 2, 2, 3),
            (2, 2, 3, 3),
            (2, 3, 3, 4),
            (3, 3, 4, 4),
            (3, 4, 4, 4),
            (4, 4, 4, 4),
        ]

    def test_it_is_cheapest_first_and_has_nothing_twice(self) -> None:
        spec = made_up_spec()
        found = lin.family(spec)
        costs = [memory_bits(spec.points, allocation) for allocation in found]
        assert costs == sorted(costs)
        assert len({*found}) == len(found) > 8

    def test_every_quantizer_has_its_own(self) -> None:
        used = {
            tuple({config.quantizer for _, config in allocation.items()})
            for allocation in lin.family(made_up_spec())
        }
        assert used == {("affine",), ("codebook",)}

    def test_points_keep_to_their_own_menus(self) -> None:
        options = made_up_spec(bit_widths=(2, 4, 8), quantizers=("affine",)).menus[0]
        spec = replace(made_up_spec(), menus=(options, options[2:], (), options))
        found = lin.family(spec)
        assert all(tuple(a.points()) == ("p0", "p1", "p3") for a in found)
        assert {a.get("p1") for a in found} == {QuantizerConfig("affine", 8)}

    def test_where_nothing_is_to_choose_it_has_one(self) -> None:
        assert len(lin.family(made_up_spec(bit_widths=(8,), quantizers=("affine",)))) == 1


class TestSampler:
    def test_the_first_of_the_family_that_holds_is_found(self) -> None:
        spec = made_up_spec(sampler="lin", budget=40, quantizers=("affine",))
        holding = lin.family(spec)[9]

        def only(allocation: BitAllocation) -> Iterator[Hits]:
            right = 900 if allocation == holding else 0
            yield Hits(images=1000, correct=right, lost=900 - right)

        trials = list(study.run(spec, only))
        assert [t.allocation for t in trials if t.feasible] == [holding]
        walked = [t.memory_bits for t in trials if t.origin == "lin"]
        assert walked == sorted(walked)
