"""Bombs: small files that would fill memory are refused with their cause, before they do."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.rules.source import ROOT
from tests.security.bombs import HUGE
from tests.security.bombs import MAKE

#: bytes: what libraries load late, and what is small anyway; less than half of what a bomb tells
MOST_GROWN = 200 * 2**20

CAUSES = {
    "program": ("corrupt-weights", "its records would be"),
    "overview": ("corrupt-weights", "described by nothing"),
    "weights": ("corrupt-weights", "its records would be"),
    "views": ("corrupt-weights", "its tensors repeat"),
    "array": ("unusable-data", "compressed too well"),
    "liar": ("unusable-data", "images.npy tells of 2,199,023,255,552 bytes"),
    "png": ("unusable-data", "too many"),
    "jpeg": ("unusable-data", "too many"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process tells that reads one bomb after another."""
    command = [sys.executable, "-m", "tests.security.bombs", str(tmp_path_factory.mktemp("bombs"))]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=170
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return {kind: told for line in lines for kind, told in json.loads(line).items()}


def test_every_bomb_was_read(seen: dict[str, Any]) -> None:
    assert {*seen} == {*MAKE} == {*CAUSES}


@pytest.mark.parametrize("kind", CAUSES)
def test_it_is_refused_in_bounded_memory(seen: dict[str, Any], kind: str) -> None:
    told = seen[kind]
    code, words = CAUSES[kind]
    assert told["code"] == code
    assert words in told["message"]
    assert told["size"] < HUGE / 50
    assert told["grown"] < MOST_GROWN < HUGE / 2
