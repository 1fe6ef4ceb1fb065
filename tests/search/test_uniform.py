"""What uniform means where the points may not all choose the same."""

from dataclasses import replace

from search import uniform
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.cost import memory_bits
from search.rules import Menu
from search.spec import SearchSpec
from tests.contracts.networks import made_up_spec

A2, A4, A8 = (QuantizerConfig("a", bits) for bits in (2, 4, 8))
C4 = QuantizerConfig("c", 4)


def told(*menus: Menu) -> list[tuple[str, str]]:
    found = uniform.uniform_allocations(ruled(*menus))
    return [
        (str(option), " ".join(str(config) for _, config in allocation.items()))
        for allocation, option in found.items()
    ]


def ruled(*menus: Menu) -> SearchSpec:
    spec = made_up_spec()
    return replace(spec, points=spec.points[: len(menus)], menus=menus)


class TestUniformAllocations:
    def test_equal_menus_give_one_for_each_option_fewest_bits_first(self) -> None:
        menu = (A2, A4, C4)
        assert told(menu, menu) == [("a:2", "a:2 a:2"), ("a:4", "a:4 a:4"), ("c:4", "c:4 c:4")]

    def test_a_point_without_the_option_takes_its_nearest(self) -> None:
        assert told((A2, A4, A8), (A8,)) == [
            ("a:2", "a:2 a:8"),
            ("a:4", "a:4 a:8"),
            ("a:8", "a:8 a:8"),
        ]

    def test_of_two_equally_near_it_takes_more_bits(self) -> None:
        A6 = QuantizerConfig("a", 6)  # noqa: N806  # as its neighbours
        assert ("a:4", "a:4 a:6") in told((A4,), (A2, A6))

    def test_the_bit_width_counts_before_the_quantizer(self) -> None:
        assert told((A4,), (C4, QuantizerConfig("c", 3))) == [
            ("c:3", "a:4 c:3"),
            ("a:4", "a:4 c:4"),
        ]

    def test_a_point_in_float_is_left_out(self) -> None:
        assert told((A2, A4), ()) == [("a:2", "a:2"), ("a:4", "a:4")]

    def test_memory_never_falls_from_one_to_the_next(self) -> None:
        spec = ruled((A2, A8), (A4,), (A2, A4), (A8, C4))
        bits = [memory_bits(spec.points, a) for a in uniform.uniform_allocations(spec)]
        assert bits == sorted(bits)


class TestUniformLadder:
    def test_it_climbs_through_points_of_different_menus(self) -> None:
        ladder = uniform.UniformLadder(ruled((A2, A4, A8), (A8,)))
        climbed: list[BitAllocation] = []
        while (allocation := ladder.propose({*climbed})) is not None:
            climbed.append(allocation)
        assert [str(allocation.get("p0")) for allocation in climbed] == ["a:2", "a:4", "a:8"]
