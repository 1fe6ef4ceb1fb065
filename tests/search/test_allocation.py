"""Allocations are values: changing one gives another."""

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig

FOUR, EIGHT = QuantizerConfig("affine", 4), QuantizerConfig("affine", 8)
POINTS = (QuantizationPoint("a", 1), QuantizationPoint("b", 1))


class TestBitAllocation:
    def test_uniform_gives_every_point_the_option_in_network_order(self) -> None:
        assert list(BitAllocation.uniform(POINTS, FOUR).items()) == [("a", FOUR), ("b", FOUR)]

    def test_replace_changes_one_point_of_a_copy(self) -> None:
        original = BitAllocation.uniform(POINTS, FOUR)
        changed = original.replace("b", EIGHT)
        assert changed == BitAllocation.of({"a": FOUR, "b": EIGHT})
        assert original.get("b") == FOUR

    def test_without_leaves_a_point_in_float(self) -> None:
        rest = BitAllocation.uniform(POINTS, FOUR).without("a")
        assert rest.get("a") is None
        assert list(rest.points()) == ["b"]

    def test_equal_allocations_are_one_in_a_set(self) -> None:
        assert (
            len({BitAllocation.uniform(POINTS, FOUR), BitAllocation.of({"a": FOUR, "b": FOUR})})
            == 1
        )

    def test_an_option_reads_as_name_and_bits(self) -> None:
        assert str(FOUR) == "affine:4"
