"""The demo as users run it, with a smaller budget."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.cli.test_children import until_gone

pytestmark = [pytest.mark.slow]


def command(output: Path, *, trials: int) -> list[str]:
    """Return the command line."""
    options = ["-o", str(output), "--trials", str(trials)]
    return [sys.executable, "-m", "service.cli", "demo", *options]


@pytest.fixture
def heard() -> Iterator[None]:
    """Let processes started meanwhile hear interrupts, even if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class TestDemo:
    def test_it_shows_and_saves_a_certified_allocation(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            command(tmp_path, trials=12),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KEEP": "1"},  # without a terminal it ends nevertheless
        )
        assert ended.returncode == 0, ended.stderr
        best = json.loads((tmp_path / "best.json").read_text(encoding="utf-8"))
        assert best["certification"]["holds"] is True
        for point in best["points"]:
            assert point["name"] in ended.stdout
        assert f"{100 * best['saved']:.1f} % saved" in ended.stdout
        assert "uniform" in ended.stdout
        assert "dashboard " in ended.stdout
        assert json.loads((tmp_path / "front.json").read_text(encoding="utf-8"))["front"]
        assert "Certified" in (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "12/12 trials" in ended.stderr

    def test_a_folder_that_cannot_be_written_is_one_line_and_status_1(self) -> None:
        ended = subprocess.run(
            command(Path("/dev/null/demo"), trials=1), capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("error: cannot write /dev/null/demo")

    @pytest.mark.usefixtures("heard")
    def test_interrupted_it_leaves_nothing_running(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            command(tmp_path, trials=5000), stdout=subprocess.PIPE, text=True
        ) as demo:
            assert demo.stdout is not None
            assert demo.stdout.readline().startswith("server ")
            children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text()
            demo.send_signal(signal.SIGINT)
            assert demo.wait(40) == 130
        for child in children.split():
            assert until_gone(int(child), seconds=1)
