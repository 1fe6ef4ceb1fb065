"""A message about a wrong name tells all of a few names, and the closest of many."""

from search.nearest import CLOSEST
from search.nearest import FEW
from search.nearest import nearest
from search.nearest import told

MANY = tuple(f"library/net{size}_{kind}" for size in range(60) for kind in ("small", "large"))


class TestNearest:
    def test_all_of_a_few_are_told_in_their_order(self) -> None:
        known = tuple(f"n{i}" for i in range(FEW))[::-1]
        assert nearest("else", known) == known

    def test_of_many_the_closest_come_first(self) -> None:
        found = nearest("library/net17_smal", MANY)
        assert found[0] == "library/net17_small"
        assert len(found) <= CLOSEST

    def test_what_follows_the_last_slash_is_enough(self) -> None:
        assert nearest("NET17_small", MANY)[0] == "library/net17_small"

    def test_both_ways_of_comparing_are_heard(self) -> None:
        found = nearest("program/net7_smal", (*MANY, "program/net7_small_best"))
        assert {"library/net7_small", "program/net7_small_best"} <= {*found}

    def test_nothing_close_is_nothing(self) -> None:
        assert nearest("£££", MANY) == ()


class TestTold:
    def test_a_few_are_listed(self) -> None:
        assert told("x", ["a", "b"]) == "a, b"

    def test_none_is_said(self) -> None:
        assert told("x", []) == "none"

    def test_of_many_the_number_and_the_closest(self) -> None:
        assert told("net3_large", MANY).startswith("120 names, closest library/net3_large, ")
        assert told("£££", MANY) == "120 names"
