"""The document's table: rewritten between its marks, everything else left as it is."""

from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import main
from benchmarks.chaos.document import NoMarks
from benchmarks.chaos.document import rewritten
from benchmarks.chaos.document import section
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure

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


class TestMain:
    @pytest.mark.parametrize("part", [["--only", "killed"], ["--databases", "sqlite"]])
    def test_a_part_of_the_faults_does_not_replace_the_whole_table(
        self, part: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        document = tmp_path / "document.md"
        document.write_text(TEXT)
        with pytest.raises(SystemExit):
            main(["--write", str(document), *part])
        assert "the whole table" in capsys.readouterr().err
        assert document.read_text() == TEXT
