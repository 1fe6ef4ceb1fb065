"""What a fault came to, as numbers with bounds and as rows of a table."""

import pytest

from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.figures import failed
from benchmarks.chaos.figures import number
from benchmarks.chaos.figures import row
from benchmarks.chaos.figures import table

NAN = float("nan")


def figure(*checks: Check) -> Figure:
    return Figure(fault="a fault", database="sqlite", done="twice", checks=checks)


class TestCheck:
    @pytest.mark.parametrize(
        "seen, at_most, at_least, held",
        [
            (1.0, None, None, True),
            (1.0, 1.0, None, True),
            (1.1, 1.0, None, False),
            (1.0, None, 1.0, True),
            (0.9, None, 1.0, False),
            (2.0, 3.0, 1.0, True),
            (NAN, 3.0, None, False),
            (NAN, None, 1.0, False),
        ],
    )
    def test_a_bound_itself_holds_and_no_number_does_not(
        self, seen: float, at_most: float | None, at_least: float | None, held: bool
    ) -> None:
        assert Check(what="it", seen=seen, at_most=at_most, at_least=at_least).held is held

    def test_is_told_with_its_bound_and_unit(self) -> None:
        check = Check(what="held again after", seen=3.21, at_most=5.0, unit=" s")
        assert str(check) == "held again after 3.21 s (≤ 5)"

    def test_none_where_there_may_be_none_needs_no_bound(self) -> None:
        assert str(Check(what="jobs lost", seen=0, at_most=0)) == "jobs lost 0"

    def test_one_that_did_not_hold_stands_out(self) -> None:
        assert str(Check(what="jobs lost", seen=2, at_most=0)) == "**jobs lost 2 (≤ 0)**"


class TestFigure:
    def test_holds_if_every_check_does(self) -> None:
        good, bad = Check(what="good", seen=0, at_most=0), Check(what="bad", seen=1, at_most=0)
        assert figure(good).held
        assert figure(good).broken == ()
        assert not figure(good, bad).held
        assert figure(good, bad).broken == ("**bad 1 (≤ 0)**",)


class TestNumber:
    @pytest.mark.parametrize(
        "value, told",
        [
            (0, "0"),
            (12.0, "12"),
            (100_000, "100,000"),
            (0.128, "0.13"),
            (12.34, "12.3"),
            (NAN, "nan"),
        ],
    )
    def test_is_written_as_people_do(self, value: float, told: str) -> None:
        assert number(value) == told


class TestTable:
    def test_has_a_row_for_each_figure(self) -> None:
        bad = Check(what="bad", seen=1, at_most=0)
        lines = table([figure(Check(what="told", seen=7)), figure(bad)]).splitlines()
        assert lines[2:] == [
            "| a fault | sqlite | twice | told 7 | yes |",
            "| a fault | sqlite | twice | **bad 1 (≤ 0)** | **no** |",
        ]

    def test_a_fault_that_ended_in_an_error_did_not_hold(self) -> None:
        ended = failed("a fault", "sqlite", error=TimeoutError("waited | for it\nin vain"))
        assert not ended.held
        what = "ended with `TimeoutError: waited \\| for it` 1 (≤ 0)"
        assert row(ended) == f"| a fault | sqlite | not to its end | **{what}** | **no** |"
