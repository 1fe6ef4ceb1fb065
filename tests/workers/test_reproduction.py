"""The paper's experiments on the embedded network, from the command to the document."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from search.baseline import Certificate
from search.spec import JobSpec
from service.report import reproduction
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.reproduction import subject
from workers.settings import WorkerSettings

PATIENCE = 170  # seconds
SPEC = """
model: digits-vgg
dataset: digits
tolerance: 0.5
splits: {certification: 450}
points: {features.3: {upper_bound: 1.5}}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduction")
    (folder / "spec.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "service.cli", "reproduce", "spec.yaml"]
    options = ["--set", "tolerance=0.02", "--budget", "30", "--method-budget", "12"]
    subprocess.run(
        [*command, *options, "--output", str(folder)], check=True, timeout=PATIENCE, cwd=folder
    )
    return folder


@pytest.fixture(scope="module")
def document(written: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((written / "rows.json").read_text())
    return found


class TestSubject:
    @pytest.mark.parametrize("tolerance, asked", [(0.02, 0.95), (0.0, None)])
    def test_ours_is_for_the_certificate_asked_for_unless_the_images_are_too_few(
        self, tmp_path: Path, *, tolerance: float, asked: float | None
    ) -> None:
        job = JobSpec(
            model="digits-vgg",
            dataset="digits",
            tolerance=tolerance,
            quantizers=("affine",),
            objective="bit_operations",
        )
        bench = workbench.prepare(
            job,
            models=open_models(tmp_path),
            around=surroundings(WorkerSettings(cache_dir=tmp_path)),
            device=torch.device("cpu"),
            batch=450,
        )
        search = subject(job, bench, budget=1).search
        images = len(bench.dataset.certification)
        expected = Certificate(images=images, confidence=asked) if asked else None
        assert search.certificate == expected
        assert search.sensitivity is not None
        assert search.objective is None


class TestDocument:
    def test_the_labels_tell_how_each_row_was_searched(self, document: dict[str, Any]) -> None:
        found = {line["method"]: line["label"] for line in document["lines"]}
        assert found["bitfloor"].startswith("search with bitfloor for confidence 0.95, 30 trials")
        assert found["discrete"].startswith("search with tpe, 12 trials")

    def test_it_has_every_table_and_the_best_of_each_method(self, document: dict[str, Any]) -> None:
        assert {line["table"] for line in document["lines"]} == {
            "I",
            "II/III",
            "IV/V",
            "VI",
            "VII",
        }
        assert {"uniform", "discrete", "k-means", "Lin et al.", "bitfloor"} <= {*document["best"]}
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

    def test_figure_one_is_before_relu_and_figure_two_after(self, document: dict[str, Any]) -> None:
        before, after = document["before_activation"], document["histograms"]
        assert list(before) == list(after) == [point["name"] for point in document["points"]]
        assert before["features.0"]["low"] < 0 == after["features.0"]["low"]

    def test_what_the_spec_says_holds_and_options_go_before_it(
        self, document: dict[str, Any]
    ) -> None:
        assert document["tolerance"] == 0.02
        assert document["upper_bounds"] == {"features.3": 1.5}
        bounded = document["levels"]["codebook_bounded"]
        assert max(bounded["features.3"]) <= 1.5 < max(bounded["features.0"])


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
        tables = len({line["table"] for line in document["lines"]}) + 1
        assert len(rows) == len(document["lines"]) + len(document["best"]) + 2 * tables

    def test_names_are_escaped(self, document: dict[str, Any]) -> None:
        evil = "<script>alert(1)</script>"
        page = reproduction.render(document | {"model": evil})
        assert evil not in page


@pytest.mark.parametrize(
    "options, told",
    [
        (["--model", "nope"], "unknown model 'nope'"),
        (
            ["--model", "digits-vgg", "--set", "points={'features.0': {'bit_widths': [8]}}"],
            "points.features.0: the paper quantizes every point alike",
        ),
    ],
)
def test_what_cannot_be_reproduced_is_one_line(
    tmp_path: Path, *, options: list[str], told: str
) -> None:
    command = [sys.executable, "-m", "service.cli", "reproduce", *options]
    ended = subprocess.run(
        [*command, "--data", "digits", "--output", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {told}")
    assert ended.stderr.count("\n") == 1
