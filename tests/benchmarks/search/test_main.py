"""The command writes what it measured, and a later run of one method replaces its line only."""

import json
from pathlib import Path

from benchmarks.search import methods
from benchmarks.search.__main__ import main


def test_lines_summary_and_plot_are_written_and_kept(tmp_path: Path) -> None:
    asked = ["--seeds", "1", "--simulations", "0", "--ours", "lin", "--out", str(tmp_path)]
    main([*asked, "--methods", "uniform"])
    main([*asked, "--methods", "lin"])
    lines = [json.loads(text) for text in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert [line["method"] for line in lines] == ["uniform", "lin"]
    assert all(line["trace"] and line["held"] for line in lines)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {*summary["cases"]["digits"]} == {"uniform", "lin"}
    assert {claim["claim"] for claim in summary["claims"]} == {3, 4}
    assert "Least memory found" in (tmp_path / "plot.html").read_text()


def test_what_is_run_by_default_is_offered() -> None:
    assert {*methods.USUAL} <= {*methods.offered(evaluations=1)}
