"""What docs/ci.md tells pipelines to run is run, by a real shell against a real server."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from tests.rules.source import ROOT
from tests.rules.test_documents import fenced
from tests.service.cli.test_up import started

TEXT = (ROOT / "docs/ci.md").read_text()
SPEC, GITHUB, GITLAB = fenced(TEXT, "yaml")
JOBS: dict[str, Any] = yaml.safe_load(GITHUB)["jobs"]
PIPELINE: dict[str, Any] = yaml.safe_load(GITLAB)["bit-widths"]

#: what installs bitfloor is checked by what it names
INSTALLS = re.compile(r"pip install '?bitfloor(\[(?P<extra>\w+)\])?'?")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return a folder with the request, and the environment of a runner beside a server."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "digits.yaml").write_text(SPEC)
    with started(tmp_path_factory.mktemp("up")) as up:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # every example has the same key, so that one search is enough for all
        here = {"BITFLOOR_SERVER": up.address, "COMMIT": "c0ffee-1"}
        yield folder, {**os.environ, "PATH": path, **here}


def run(script: str, folder: Path, environment: dict[str, str]) -> str:
    """Run it as a runner does, and return what it printed."""
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(steps: list[dict[str, Any]]) -> list[str]:
    """Return what the steps run but for what installs bitfloor."""
    return [step["run"] for step in steps if "run" in step and not INSTALLS.match(step["run"])]


def passed(folder: Path, name: str) -> list[str]:
    """Return the names of a file's cases, all of which must have passed."""
    (suite,) = JUnitXml.fromfile(str(folder / name))
    cases = list(suite)
    assert all(case.is_passed for case in cases)
    return [case.name for case in cases]


def test_what_it_installs_is_offered() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    installed = [found["extra"] for found in INSTALLS.finditer(GITHUB + GITLAB)]
    assert len(installed) == 3
    assert {*installed} - {None} <= {*extras}


@pytest.mark.slow
def test_the_gate_ends_well_and_leaves_the_allocation(
    workspace: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = workspace
    (script,) = fenced(TEXT, "bash")
    run(script, folder, environment)
    best = json.loads((folder / "best.json").read_text())
    assert best["certification"]["judgement"] == "certified"
    assert passed(folder, "bitfloor.xml") == ["certificate", "saved >= 0.8"]


@pytest.mark.slow
def test_every_step_of_the_github_workflow_runs(workspace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workspace
    summary = folder / "summary.md"
    runner = {
        **environment,
        "GITHUB_SHA": "c0ffee",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    steps = [step for job in JOBS.values() for step in job["steps"]]
    scripts = commands(steps)
    assert len(scripts) == 5
    for script in scripts:
        run(script, folder, runner)
    assert "succeeded" in summary.read_text()
    uploaded = next(step["with"]["path"] for step in steps if "upload" in step.get("uses", ""))
    assert all((folder / name).stat().st_size for name in uploaded.split())
    assert passed(folder, "bitfloor.xml")[0] == "certificate"
    assert "certification.lost" in passed(folder, "verify.xml")


@pytest.mark.slow
def test_every_line_of_the_gitlab_job_runs(workspace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workspace
    for name in PIPELINE["artifacts"]["paths"]:
        (folder / name).unlink(missing_ok=True)
    runner = {**environment, "CI_COMMIT_SHA": "c0ffee", "CI_JOB_ID": "1"}
    run("\n".join(PIPELINE["script"]), folder, runner)
    assert all((folder / name).stat().st_size for name in PIPELINE["artifacts"]["paths"])
    assert passed(folder, PIPELINE["artifacts"]["reports"]["junit"])


@pytest.mark.slow
def test_the_python_program_runs(workspace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workspace
    (program,) = fenced(TEXT, "python")
    (folder / "gate.py").write_text(program)
    told = run("python gate.py", folder, environment | {"PYTHONPATH": str(ROOT)})
    assert "features.0 " in told
