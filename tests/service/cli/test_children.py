"""A child kept running: real processes, a clock that is an argument."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli.children import FIRST_PAUSE
from service.cli.children import LONGEST_PAUSE
from service.cli.children import STEADY
from service.cli.children import KeptChild

SLEEPS = ["-c", "import time; time.sleep(60)"]
DEAF = ["-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]


def until_gone(pid: int, *, seconds: float = 10.0) -> bool:
    """Wait until no process has this id any more, or is only waiting to be reaped."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def ended(child: KeptChild) -> None:
    """Wait until the child has ended by itself."""
    while not child.gone():
        time.sleep(0.02)


@pytest.fixture
def sleeper() -> Iterator[KeptChild]:
    """Return a child that sleeps, not started."""
    child = KeptChild(SLEEPS)
    yield child
    child.kill()


class TestTend:
    def test_the_first_call_starts_it(self, sleeper: KeptChild) -> None:
        assert sleeper.gone()
        assert sleeper.tend(0.0) is None
        assert not sleeper.gone()

    def test_an_ended_child_is_told_and_started_again_after_a_pause(self) -> None:
        child = KeptChild(["-c", "raise SystemExit(3)"])
        child.tend(0.0)
        ended(child)
        assert child.tend(1.0) == (
            f"the worker ended (status 3); another one starts in {FIRST_PAUSE:g} s"
        )
        child.tend(1.0 + FIRST_PAUSE / 2)
        assert child.pid is None
        child.tend(1.0 + FIRST_PAUSE)
        assert child.pid is not None
        child.kill()

    def test_it_is_not_handed_what_only_the_api_needs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BITFLOOR_WEBHOOK_SECRET", "hunter2")
        monkeypatch.setenv("BITFLOOR_CACHE_DIR", "cache")
        kept = tmp_path / "environment"
        write = f"import os, pathlib; pathlib.Path({str(kept)!r}).write_text(repr(os.environ))"
        child = KeptChild(["-c", write])
        child.tend(0.0)
        ended(child)
        assert "BITFLOOR_CACHE_DIR" in kept.read_text()
        assert "hunter2" not in kept.read_text()
        child.kill()

    def test_pauses_double_up_to_the_longest(self) -> None:
        child = KeptChild(["-c", "pass"])
        now, pauses = 0.0, []
        for _ in range(9):
            child.tend(now)
            ended(child)
            told = child.tend(now)
            assert told is not None
            pauses.append(float(told.split()[-2]))
            now += pauses[-1]
        assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
        assert pauses[-1] == LONGEST_PAUSE

    def test_a_child_that_lasted_is_restarted_soon(self) -> None:
        child = KeptChild(["-c", "pass"])
        now = 0.0
        for lasted in (0.0, 0.0, STEADY):
            child.tend(now)
            ended(child)
            told = child.tend(now + lasted)
            now += lasted + LONGEST_PAUSE
        assert told is not None
        assert f"in {FIRST_PAUSE:g} s" in told

    def test_a_child_that_was_killed_names_the_signal(self, sleeper: KeptChild) -> None:
        sleeper.tend(0.0)
        assert sleeper.pid is not None
        os.kill(sleeper.pid, signal.SIGKILL)
        ended(sleeper)
        assert "signal SIGKILL" in str(sleeper.tend(0.1))


class TestStop:
    def test_a_child_asked_to_stop_is_not_started_again(self, sleeper: KeptChild) -> None:
        sleeper.tend(0.0)
        sleeper.ask_to_stop()
        ended(sleeper)
        sleeper.tend(1.0)
        sleeper.tend(1e9)
        assert sleeper.gone()

    def test_one_that_does_not_listen_is_killed(self) -> None:
        child = KeptChild(DEAF)
        child.tend(0.0)
        child.ask_to_stop()
        child.kill()
        assert child.gone()

    def test_what_it_started_is_killed_with_it(self, tmp_path: Path) -> None:
        noted = tmp_path / "pid"
        script = (
            "import pathlib, subprocess, sys, time\n"
            "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            f"pathlib.Path({str(noted)!r}).write_text(str(p.pid))\n"
            "time.sleep(60)"
        )
        child = KeptChild(["-c", script])
        child.tend(0.0)
        while not (noted.exists() and noted.read_text()):
            time.sleep(0.02)
        child.kill()
        assert until_gone(int(noted.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
class TestTether:
    PARENT = """
import sys, time
from service.cli.children import KeptChild
child = KeptChild(["-c", "import time; time.sleep(60)"])
child.tend(0.0)
time.sleep(0.7)
print(child.pid, flush=True)
time.sleep(60)
"""

    def test_a_parent_that_is_killed_takes_its_child_along(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", self.PARENT], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            assert Path(f"/proc/{child}").exists()
            parent.kill()
        assert until_gone(child)

    def test_a_child_whose_parent_is_gone_already_does_nothing(self, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        command = f"import pathlib; pathlib.Path({str(trace)!r}).touch()"
        nobody = "1" if os.getpid() != 1 else "2"
        subprocess.run(
            [sys.executable, "-m", "service.cli.tether", nobody, "-c", command], check=True
        )
        assert not trace.exists()
