"""The gate measures each folder by itself and opens only at its percentage."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import coverage_gate

FILES: dict[str, Any] = {
    "search/a.py": {"summary": {"covered_lines": 90, "num_statements": 100}},
    "search/b/c.py": {
        "summary": {
            "covered_lines": 60,
            "num_statements": 80,
            "covered_branches": 10,
            "num_branches": 20,
        }
    },
    "service/store/d.py": {"summary": {"covered_lines": 10, "num_statements": 10}},
}


class TestCovered:
    def test_lines_and_branches_under_the_folder_are_added_up(self) -> None:
        assert coverage_gate.covered(FILES, "search") == 100 * 160 / 200

    def test_other_folders_do_not_count(self) -> None:
        assert coverage_gate.covered(FILES, "service/store") == 100

    def test_a_folder_that_was_not_measured_covers_nothing(self) -> None:
        assert coverage_gate.covered(FILES, "sear") == 0


class TestMain:
    @pytest.fixture(autouse=True)
    def report(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        coverage_gate.REPORT.write_text(json.dumps({"files": FILES}))

    def test_it_passes_where_every_folder_reaches_its_gate(self) -> None:
        assert coverage_gate.main(["search=80", "service/store=95"]) == 0

    def test_it_fails_where_one_does_not_and_says_which(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert coverage_gate.main(["service/store=95", "search=80.1"]) == 1
        assert "coverage of search: 80.00 %, at least 80.1 %: TOO LOW" in capsys.readouterr().out
