"""Requests that cannot be searched are refused with the field and the remedy; floors are exact."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.errors import BitWidthOutOfRange
from search.errors import EmptySearchSpace
from search.errors import InvalidSpec
from search.errors import ToleranceOutOfRange
from search.rules import PointRule
from search.spec import JobSpec
from search.spec import SearchSpec


def job(**changes: object) -> JobSpec:
    given_fields: dict[str, object] = {"model": "m", "dataset": "d", "tolerance": 0.02}
    return JobSpec(**(given_fields | changes))  # type: ignore[arg-type]  # wrong values are tested


def named(*names: str) -> tuple[QuantizationPoint, ...]:
    return tuple(QuantizationPoint(name, 1) for name in names)


class TestJobSpec:
    @pytest.mark.parametrize("bit_width", [0, -1, 17, 32])
    def test_bits_outside_1_to_16_are_refused(self, bit_width: int) -> None:
        with pytest.raises(BitWidthOutOfRange, match=f"bit_widths: {bit_width} .* 1 to 16"):
            job(bit_widths=(4, bit_width))

    @pytest.mark.parametrize("field", ["bit_widths", "quantizers"])
    def test_an_empty_search_space_is_refused(self, field: str) -> None:
        with pytest.raises(EmptySearchSpace, match=field):
            job(**{field: ()})

    @pytest.mark.parametrize("bit_width", [0, 17])
    def test_so_is_a_rule_that_asks_for_such_bits(self, bit_width: int) -> None:
        with pytest.raises(BitWidthOutOfRange) as caught:
            job(points=(("features.*", PointRule(bit_widths=(4, bit_width))),))
        assert caught.value.field == "points.features.*.bit_widths"

    @pytest.mark.parametrize(
        "field, value",
        [
            ("tolerance", -0.01),
            ("tolerance", 1.0),
            ("tolerance", float("nan")),
            ("budget", 0),
            ("budget", 100_001),
            ("trial_timeout", 0.0),
            ("trial_timeout", float("inf")),
            ("trial_timeout", float("nan")),
        ],
    )
    def test_a_number_out_of_range_names_its_field(self, field: str, value: float) -> None:
        with pytest.raises(InvalidSpec) as caught:
            job(**{field: value})
        assert caught.value.field == field
        assert str(caught.value).startswith(f"{field}: ")


class TestMenus:
    def test_every_pair_comes_once_and_sorted(self) -> None:
        (options,) = job(quantizers=("b", "a", "a"), bit_widths=(8, 4, 8)).menus(named("p"))
        assert [str(option) for option in options] == ["a:4", "a:8", "b:4", "b:8"]

    @pytest.mark.parametrize("bit_widths", [(4, 8), (2, 4, 8)])
    def test_what_hardware_can_store_is_all_there_is_to_choose(
        self, bit_widths: tuple[int, ...]
    ) -> None:
        for menu in job(bit_widths=bit_widths).menus(named("a", "b", "c")):
            assert {option.bit_width for option in menu} == {*bit_widths}

    def test_rules_are_asked_for_each_point(self) -> None:
        rules = (("b", PointRule(bit_widths=(8,))), ("c", PointRule(exclude=True)))
        a, b, c = job(quantizers=("q",), bit_widths=(2,), points=rules).menus(named("a", "b", "c"))
        assert [str(option) for option in (*a, *b, *c)] == ["q:2", "q:8"]


class TestBaseline:
    def test_the_floor_is_counted_in_exact_arithmetic(self) -> None:
        # in binary fractions 0.07 * 100 is above 7
        assert Baseline(images=100, correct=90, tolerance=0.07).needed == 83

    @given(images=st.integers(1, 10_000), right=st.floats(0.01, 1), thousandths=st.integers(0, 999))
    def test_needed_is_the_fewest_at_or_above_the_floor(
        self, images: int, right: float, thousandths: int
    ) -> None:
        correct = max(1, round(images * right))
        exact = Fraction(thousandths, 1000)
        if exact >= Fraction(correct, images):
            return
        baseline = Baseline(images=images, correct=correct, tolerance=thousandths / 1000)
        floor = Fraction(correct, images) - exact
        assert Fraction(baseline.needed, images) >= floor > Fraction(baseline.needed - 1, images)

    @pytest.mark.parametrize("tolerance", [0.9, 0.95, -0.1])
    def test_a_floor_at_or_below_zero_is_refused(self, tolerance: float) -> None:
        with pytest.raises(ToleranceOutOfRange, match=r"X = 0\.9000"):
            Baseline(images=10, correct=9, tolerance=tolerance)


class TestSearchSpec:
    def resolved(self, points: int, menus: tuple[tuple[QuantizerConfig, ...], ...]) -> SearchSpec:
        return SearchSpec(
            points=tuple(QuantizationPoint(f"p{i}", 1) for i in range(points)),
            menus=menus,
            baseline=Baseline(images=10, correct=9, tolerance=0.1),
            sampler="random",
            budget=1,
            seed=0,
        )

    def test_size_counts_the_allocations(self) -> None:
        two = (QuantizerConfig("a", 1), QuantizerConfig("a", 2))
        assert self.resolved(3, (two, two, two[:1])).size == 4

    def test_a_point_without_options_stays_in_float_and_is_no_choice(self) -> None:
        two = (QuantizerConfig("a", 1), QuantizerConfig("a", 2))
        search = self.resolved(3, (two, (), two))
        assert search.size == 4
        assert [(v.points, v.menu) for v in search.variables] == [(("p0",), two), (("p2",), two)]

    @pytest.mark.parametrize("points, menus", [(0, ()), (1, ()), (1, ((),)), (2, ((), ()))])
    def test_a_search_without_any_option_is_refused(
        self, points: int, menus: tuple[tuple[QuantizerConfig, ...], ...]
    ) -> None:
        with pytest.raises(EmptySearchSpace):
            self.resolved(points, menus)
