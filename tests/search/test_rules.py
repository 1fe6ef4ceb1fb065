"""Rules say what some points may choose from; a rule that cannot be followed is told by name."""

from math import inf
from math import nan
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import rules
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import EmptySearchSpace
from search.errors import InvalidSpec
from search.errors import UnknownPoint
from search.rules import PointRule

NAMES = ("features.0", "features.3", "features.10", "classifier.0", "classifier.3")
DEFAULT = PointRule(bit_widths=(2, 4), quantizers=("a", "b"))


def texts(*said: tuple[str, PointRule], names: tuple[str, ...] = NAMES) -> dict[str, list[str]]:
    points = [QuantizationPoint(name, 1) for name in names]
    menus = rules.menus(said, points, default=DEFAULT)
    return {name: [str(o) for o in menu] for name, menu in zip(names, menus, strict=True)}


class TestMenus:
    def test_without_rules_all_points_have_the_same(self) -> None:
        assert {tuple(menu) for menu in texts().values()} == {("a:2", "a:4", "b:2", "b:4")}

    def test_a_field_that_a_rule_leaves_out_stays(self) -> None:
        menus = texts(("features.0", PointRule(bit_widths=(8,))))
        assert menus["features.0"] == ["a:8", "b:8"]
        assert menus["features.3"] == ["a:2", "a:4", "b:2", "b:4"]

    def test_later_rules_win_field_by_field(self) -> None:
        menus = texts(
            ("features.0", PointRule(bit_widths=(8,), quantizers=("c",))),
            ("features.*", PointRule(quantizers=("a",))),
        )
        assert menus["features.0"] == ["a:8"]
        assert menus["features.10"] == ["a:2", "a:4"]

    def test_excluded_points_have_no_options_unless_taken_back(self) -> None:
        menus = texts(
            ("classifier.*", PointRule(exclude=True)),
            ("classifier.3", PointRule(exclude=False)),
        )
        assert menus["classifier.0"] == []
        assert menus["classifier.3"] == ["a:2", "a:4", "b:2", "b:4"]

    def test_a_name_is_matched_whole_and_in_its_case(self) -> None:
        assert texts(("features.1*", PointRule(exclude=True)))["features.0"] != []
        with pytest.raises(UnknownPoint):
            texts(("Features.*", PointRule(exclude=True)))

    def test_a_pattern_that_matches_nothing_is_told_with_the_points_there_are(self) -> None:
        with pytest.raises(UnknownPoint, match=r"'feature\.3'.* features\.0, .*er\.3$") as caught:
            texts(("feature.3", PointRule(exclude=True)))
        assert caught.value.field == "points.feature.3"

    def test_of_many_points_the_closest_are_told(self) -> None:
        names = tuple(f"layer{i}.{j}.conv{k}" for i in range(4) for j in range(3) for k in (1, 2))
        with pytest.raises(UnknownPoint, match=r"24 names, closest layer3\.1\.conv2, "):
            texts(("layer3.1.con2", PointRule(exclude=True)), names=names)

    def test_nothing_left_to_quantize_is_refused(self) -> None:
        with pytest.raises(EmptySearchSpace, match=r"points: .*at least one point"):
            texts(("*", PointRule(exclude=True)))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(("*", "features.*", "classifier.3", "*.0")),
                st.builds(
                    PointRule,
                    bit_widths=st.sampled_from((None, (8,), (1, 2))),
                    quantizers=st.sampled_from((None, ("c",))),
                ),
            ),
            max_size=4,
            unique_by=lambda pair: pair[0],
        )
    )
    def test_a_last_rule_for_all_has_the_last_word(self, said: list[tuple[str, PointRule]]) -> None:
        last = ("[fc]*", PointRule(bit_widths=(3,), quantizers=("z",)))
        assert {tuple(menu) for menu in texts(*said, last).values()} == {("z:3",)}


class TestAble:
    POINTS = (QuantizationPoint("a", 1), QuantizationPoint("a.weight", 9, Kind.WEIGHT))

    def menus(self, *said: tuple[str, PointRule]) -> list[list[str]]:
        menus = rules.menus(
            said,
            self.POINTS,
            default=DEFAULT,
            able=lambda name, kind: name != "b" or kind is Kind.WEIGHT,
        )
        return [[str(option) for option in menu] for menu in menus]

    def test_what_cannot_quantize_a_point_is_not_in_its_menu(self) -> None:
        assert self.menus() == [["a:2", "a:4"], ["a:2", "a:4", "b:2", "b:4"]]

    @pytest.mark.parametrize("pattern", ["a", "*"])
    def test_a_rule_that_leaves_only_such_is_refused_by_its_field(self, pattern: str) -> None:
        with pytest.raises(EmptySearchSpace, match="can quantize the activation at a") as caught:
            self.menus((pattern, PointRule(quantizers=("b",))))
        assert caught.value.field == f"points.{pattern}.quantizers"

    def test_so_is_a_request_by_its_own(self) -> None:
        default = PointRule(bit_widths=(4,), quantizers=("b",))
        with pytest.raises(EmptySearchSpace) as caught:
            rules.menus((), self.POINTS, default=default, able=lambda *_: False)
        assert caught.value.field == "quantizers"

    def test_a_later_rule_for_the_point_mends_it(self) -> None:
        said = (("*", PointRule(quantizers=("b",))), ("a", PointRule(quantizers=("a",))))
        assert self.menus(*said) == [["a:2", "a:4"], ["b:2", "b:4"]]

    def test_a_point_that_stays_in_float_needs_none(self) -> None:
        said = (("*", PointRule(quantizers=("b",))), ("a", PointRule(exclude=True)))
        assert self.menus(*said) == [[], ["b:2", "b:4"]]


class TestCheck:
    @pytest.mark.parametrize(
        "said, field",
        [
            ((("", PointRule(exclude=True)),), "points"),
            ((("a", PointRule(exclude=True)), ("a", PointRule(exclude=False))), "points"),
            ((("a", PointRule()),), "points.a"),
            ((("a", PointRule(bit_widths=())),), "points.a.bit_widths"),
            ((("a", PointRule(bit_widths=(0,))),), "points.a.bit_widths"),
            ((("a", PointRule(quantizers=())),), "points.a.quantizers"),
            ((("a", PointRule(upper_bound=0.0)),), "points.a.upper_bound"),
            ((("a", PointRule(upper_bound=inf)),), "points.a.upper_bound"),
            ((("a", PointRule(upper_bound=nan)),), "points.a.upper_bound"),
        ],
    )
    def test_a_rule_that_no_network_can_follow_is_named(
        self, said: rules.PointRules, field: str
    ) -> None:
        with pytest.raises(InvalidSpec) as caught:
            rules.check(said)
        assert caught.value.field == field


class TestUpperBounds:
    menus: ClassVar = {
        "a": (QuantizerConfig("bounded", 4),),
        "b": (QuantizerConfig("affine", 4), QuantizerConfig("bounded", 4)),
        "c": (QuantizerConfig("affine", 4),),
        "d": (),
    }

    def test_later_rules_win_and_points_without_such_a_quantizer_have_none(self) -> None:
        said = (("*", PointRule(upper_bound=6.0)), ("b", PointRule(upper_bound=2.5)))
        found = rules.upper_bounds(said, self.menus, bounded=("bounded",))
        assert found == {"a": 6.0, "b": 2.5}

    @pytest.mark.parametrize("pattern", ["c", "d", "[cd]"])
    def test_a_bound_that_no_point_could_use_is_refused(self, pattern: str) -> None:
        said = ((pattern, PointRule(upper_bound=6.0)),)
        with pytest.raises(InvalidSpec, match="may choose from bounded") as caught:
            rules.upper_bounds(said, self.menus, bounded=("bounded",))
        assert caught.value.field == f"points.{pattern}.upper_bound"

    def test_rules_that_give_none_say_nothing_about_it(self) -> None:
        said = (("c", PointRule(bit_widths=(8,))),)
        assert rules.upper_bounds(said, self.menus, bounded=("bounded",)) == {}
