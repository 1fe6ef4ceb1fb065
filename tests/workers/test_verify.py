"""`bitfloor verify` as users run it: a file, a process with torch, a verdict and an exit status."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli.errors import ExitStatus
from service.cli.main import main
from tests.workers import test_verification
from tests.workers.test_verification import changed
from workers.verify import app


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return test_verification.best()


def in_this_process(document: dict[str, Any], folder: Path) -> tuple[int, str, dict[str, Any]]:
    """Return what the worker's own command leaves: its status, its words and its verdict."""
    out = folder / "verdict.json"
    ended = CliRunner().invoke(app, [str(out)], input=json.dumps(document))
    return ended.exit_code, ended.stderr, json.loads(out.read_text()) if out.exists() else {}


def test_a_forged_figure_leaves_a_verdict_that_differs_there(
    document: dict[str, Any], tmp_path: Path
) -> None:
    forged = changed(document, "certification", "lost", value=document["certification"]["lost"] + 1)
    status, _, verdict = in_this_process(forged, tmp_path)
    assert (status, verdict["judgement"]) == (0, "certified")
    differing = [figure for figure in verdict["figures"] if not figure["agrees"]]
    assert [figure["name"] for figure in differing] == ["certification.lost"]


def test_parameters_that_cannot_be_are_status_2_and_one_line(
    document: dict[str, Any], tmp_path: Path
) -> None:
    wrong = changed(document, "points", 1, "parameters", "scale", value=-1)
    told = "error: points.1.parameters.scale: -1 does not lie above 0\n"
    assert in_this_process(wrong, tmp_path) == (2, told, {})


def test_what_cannot_be_loaded_is_one_line_and_no_file_outside_the_roots_is_opened(
    document: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = changed(document, "spec", "weights", value="../best.json")
    asked = changed(asked, "weights", value="../best.json")
    for part in (asked, asked["spec"]):
        part["model"] = "torchvision/squeezenet1_1"
    path = tmp_path / "best.json"
    path.write_text(json.dumps(asked))
    roots = ("--model-root", str(tmp_path / "models"), "--data-root", str(tmp_path / "datasets"))
    assert main(["verify", str(path), *roots]) == ExitStatus.ERROR
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert "'../best.json'" in told.err
    assert told.err.count("\n") == 1
