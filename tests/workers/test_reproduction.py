"""The paper's experiments on the embedded network, from the command to the document."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.report import reproduction

PATIENCE = 170  # seconds


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduction")
    command = [sys.executable, "-m", "service.cli", "reproduce", "--model", "digits-vgg"]
    options = ["--data", "digits", "--budget", "30", "--method-budget", "12"]
    subprocess.run(
        [*command, *options, "--output", str(folder)], check=True, timeout=PATIENCE, cwd=folder
    )
    return folder


@pytest.fixture(scope="module")
def document(written: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((written / "rows.json").read_text())
    return found


class TestDocument:
    def test_it_has_every_table_and_the_best_of_each_method(self, document: dict[str, Any]) -> None:
        assert {line["table"] for line in document["lines"]} == {
            "I",
            "II/III",
            "IV/V",
            "VI",
            "VII",
        }
        assert {"uniform", "discrete", "k-means", "bitfloor"} <= set(document["best"])
        for index in document["best"].values():
            assert document["lines"][index]["holds"]

    def test_every_row_is_measured_on_the_certification_split(
        self, document: dict[str, Any]
    ) -> None:
        assert document["images"] == 450
        for line in document["lines"]:
            right = line["accuracy"] * 450
            assert right == pytest.approx(round(right))
            assert line["drop"] == pytest.approx(document["float_accuracy"] - line["accuracy"])

    def test_evenly_spaced_levels_need_fewer_bits_than_one_step_for_all(
        self, document: dict[str, Any]
    ) -> None:
        best = {method: document["lines"][at] for method, at in document["best"].items()}
        assert best["discrete"]["memory_bytes"] < best["uniform"]["memory_bytes"]
        assert best["bitfloor"]["memory_bytes"] <= best["discrete"]["memory_bytes"]

    def test_levels_are_those_of_four_bits(self, document: dict[str, Any]) -> None:
        for levels in document["levels"].values():
            assert {len(values) for values in levels.values()} <= set(range(1, 17))


class TestReports:
    def test_the_page_holds_every_row_and_loads_nothing(
        self, written: Path, document: dict[str, Any]
    ) -> None:
        page = (written / "report.html").read_text()
        assert page.count("<tr>") > len(document["lines"])
        assert "default-src 'none'" in page

    def test_the_markdown_holds_every_row(self, written: Path, document: dict[str, Any]) -> None:
        text = (written / "report.md").read_text()
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        tables = len({line["table"] for line in document["lines"]} - {"VII"}) + 1
        listed = sum(line["table"] != "VII" for line in document["lines"]) + len(document["best"])
        assert len(rows) == listed + 2 * tables

    def test_names_are_escaped(self, document: dict[str, Any]) -> None:
        evil = "<script>alert(1)</script>"
        page = reproduction.render(document | {"model": evil})
        assert evil not in page


def test_what_cannot_be_reproduced_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service.cli", "reproduce", "--model", "nope"]
    ended = subprocess.run(
        [*command, "--data", "digits", "--output", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: unknown model 'nope'")
    assert ended.stderr.count("\n") == 1
