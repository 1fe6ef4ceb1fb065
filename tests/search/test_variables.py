"""Tied points are one decision; what one decision means for an allocation is written out."""

import pytest

from search import samplers
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.errors import EmptySearchSpace
from search.rules import Menu
from search.spec import SearchSpec
from search.variables import group
from tests.contracts.networks import ELEMENTS
from tests.contracts.networks import made_up_evaluate

A, B, C = (QuantizerConfig("affine", bits) for bits in (2, 4, 8))
ALL = (A, B, C)


def menus(**given: Menu) -> dict[str, Menu]:
    return {name: given.get(name, ALL) for name in ("a", "b", "c", "d")}


def ties(*joined: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(tie) for tie in joined)


def points(*, menus: dict[str, Menu], tied: tuple[frozenset[str], ...]) -> list[tuple[str, ...]]:
    return [variable.points for variable in group(menus, tied)]


class TestGroup:
    def test_without_ties_every_point_is_decided_alone(self) -> None:
        assert points(menus=menus(), tied=()) == [("a",), ("b",), ("c",), ("d",)]

    def test_tied_points_are_one_variable_in_network_order(self) -> None:
        assert points(menus=menus(), tied=ties("ca")) == [("a", "c"), ("b",), ("d",)]

    def test_ties_that_share_a_point_are_one(self) -> None:
        assert points(menus=menus(), tied=ties("ab", "cd")) == [("a", "b"), ("c", "d")]
        assert points(menus=menus(), tied=ties("ab", "cd", "bc")) == [("a", "b", "c", "d")]

    def test_a_point_that_stays_in_float_is_tied_to_nothing(self) -> None:
        assert points(menus=menus(b=()), tied=ties("ab", "bc")) == [("a",), ("c",), ("d",)]

    def test_ties_of_points_that_are_not_quantized_say_nothing(self) -> None:
        assert points(menus=menus(), tied=ties("xy")) == [("a",), ("b",), ("c",), ("d",)]

    def test_tied_points_choose_from_what_all_of_them_may(self) -> None:
        variable, *_ = group(menus(a=(A, B), b=(B, C), c=(B,)), ties("abc"))
        assert variable.menu == (B,)

    def test_with_nothing_in_common_they_are_refused_by_name(self) -> None:
        with pytest.raises(EmptySearchSpace, match=r"points: .*a, c are tied"):
            group(menus(a=(A,), c=(C,)), ties("ac"))


def spec(sampler: str = "random", *, budget: int = 30) -> SearchSpec:
    """Return a search over the made-up network, of which the first and the last point are tied."""
    stored = tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(ELEMENTS))
    options = tuple(
        sorted(QuantizerConfig(q, b) for q in ("affine", "codebook") for b in (2, 3, 4, 6, 8))
    )
    return SearchSpec(
        points=stored,
        menus=(options[1:], options, options, options[:-1]),
        baseline=Baseline(images=1000, correct=900, tolerance=0.02),
        sampler=sampler,
        budget=budget,
        seed=3,
        ties=(frozenset({"p0", "p3"}),),
    )


class TestAllocation:
    def test_each_variable_s_option_goes_to_all_its_points_in_network_order(self) -> None:
        search = spec()
        assert [variable.name for variable in search.variables] == ["p0", "p1", "p2"]
        allocation = search.allocation((C, A, B))
        assert allocation == BitAllocation((("p0", C), ("p1", A), ("p2", B), ("p3", C)))

    def test_the_size_counts_decisions(self) -> None:
        assert spec().size == 8 * 10 * 10

    def test_an_option_too_few_is_refused(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            spec().allocation((C, A))


class TestSearch:
    @pytest.mark.parametrize("sampler", samplers.registered())
    def test_tied_points_never_get_different_options(self, sampler: str) -> None:
        trials = list(study.run(spec(sampler), made_up_evaluate))
        assert len(trials) == 30
        assert all(t.allocation.get("p0") == t.allocation.get("p3") for t in trials)
        assert len({t.allocation for t in trials}) == 30

    def test_a_small_space_is_searched_to_its_end(self) -> None:
        stored = tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(ELEMENTS))
        search = SearchSpec(
            points=stored,
            menus=((A, B),) * 4,
            baseline=Baseline(images=1000, correct=900, tolerance=0.02),
            sampler="random",
            budget=100,
            seed=0,
            ties=(frozenset({"p0", "p1"}), frozenset({"p2", "p3"})),
        )
        trials = list(study.run(search, made_up_evaluate))
        assert {tuple(c.bit_width for _, c in t.allocation.items()) for t in trials} == {
            (x, x, y, y) for x in (2, 4) for y in (2, 4)
        }
