"""The document's table: rewritten between its marks, everything else left as it is."""

from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import main
from benchmarks.chaos.document import NoMarks
from benchmarks.chaos.document import renewed
from benchmarks.chaos.document import rewritten
from benchmarks.chaos.document import section
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.figures import failed

RELIABILITY = Path(__file__).parents[3] / "docs/reliability.md"
TEXT = "# Title\n\n<!-- table -->\n\nold\n\n<!-- end of table -->\n\nafter\n"


def figure(seen: int) -> Figure:
    check = Check(what="jobs lost", seen=seen, at_most=0)
    return Figure(fault="a fault", database="sqlite", done="twice", checks=(check,))


class TestRewritten:
    def test_only_what_is_between_the_marks_changes(self) -> None:
        new = rewritten(TEXT, "new")
        assert new == TEXT.replace("old", "new")
        assert rewritten(new, "new") == new

    @pytest.mark.parametrize(
        "text", ["", "<!-- table -->\n", "<!-- end of table -->\n<!-- table -->\n"]
    )
    def test_a_document_without_marks_is_refused(self, text: str) -> None:
        with pytest.raises(NoMarks):
            rewritten(text, "new")

    def test_the_document_on_reliability_has_a_place_for_it(self) -> None:
        assert "| new |" in rewritten(RELIABILITY.read_text(), "| new |")


class TestSection:
    def test_tells_the_command_the_machine_and_how_many_rows_held(self) -> None:
        told = section([figure(0), figure(1)], ["python -m x", "--seed 7"], machine="a machine")
        assert told.startswith("`python -m x --seed 7` on a machine. 1 of 2 rows held.\n\n| fault")
        assert told.endswith("| **no** |")


class TestRenewed:
    @pytest.fixture
    def text(self) -> str:
        """Return a document whose table has one row that held, and two that did not."""
        other = Figure(fault="another", database="sqlite", done="once", checks=(figure(1).checks))
        ended = failed("name", "sqlite", error=TimeoutError("in vain"))
        made = section([figure(0), other, ended], ["python -m x"], machine="a machine")
        return rewritten(TEXT, made)

    def test_a_row_that_was_made_again_takes_the_place_of_its_own(self, text: str) -> None:
        again = Figure(fault="another", database="sqlite", done="2 times", checks=figure(0).checks)
        new = renewed(text, {"other": [again]}, ["x --only other"], machine="it")
        assert "another | sqlite | 2 times" in new
        assert "another | sqlite | once" not in new
        assert new.splitlines()[4:7] == [
            "`python -m x` on a machine. 2 of 3 rows held.",
            "Made again after it: `x --only other` on it, 1 rows.",
            "",
        ]
        assert [line for line in new.splitlines() if line.startswith("| a fault")] == [
            line for line in text.splitlines() if line.startswith("| a fault")
        ]
        assert new.endswith("\n\n<!-- end of table -->\n\nafter\n")

    def test_one_that_had_not_come_to_its_end_is_known_by_its_name(self, text: str) -> None:
        again = Figure(fault="a third", database="sqlite", done="once", checks=figure(0).checks)
        new = renewed(text, {"name": [again]}, ["x"], machine="it")
        assert "| name |" not in new
        assert "| a third | sqlite |" in new
        assert "2 of 3 rows held" in new

    def test_a_row_that_was_not_there_is_added(self, text: str) -> None:
        again = Figure(fault="a fault", database="postgresql", done="", checks=figure(0).checks)
        assert "2 of 4 rows held" in renewed(text, {"one": [again]}, ["x"], machine="it")


class TestMain:
    @pytest.mark.slow
    def test_one_fault_alone_rewrites_its_own_rows(self, tmp_path: Path) -> None:
        document = tmp_path / "document.md"
        document.write_text(rewritten(TEXT, section([figure(1)], ["x"], machine="it")))
        part = ["--short", "--only", "disk-full-report", "--databases", "sqlite"]
        assert main(["--write", str(document), *part]) == 0
        text = document.read_text()
        assert "1 of 2 rows held" in text
        assert "--short --only disk-full-report --databases sqlite` on" in text
        assert text.endswith("| yes |\n\n<!-- end of table -->\n\nafter\n")
