"""The workers of a fault: started in no time, watched, stopped, frozen and killed by process id."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.chaos.journal import HELD
from benchmarks.chaos.journal import Journal

PATIENCE = 240.0  # seconds: longer than anything here may take


class WaitedInVain(Exception):
    """Something that was bound to happen did not."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"waited {seconds:g} s in vain until {what}")


def until(
    what: str, reached: Callable[[], bool], *, patience: float = PATIENCE, pause: float = 0.02
) -> float:
    """Wait, and return how many seconds that took. Raises WaitedInVain."""
    started = time.monotonic()
    while not reached():
        if time.monotonic() - started > patience:
            raise WaitedInVain(what, patience)
        time.sleep(pause)
    return time.monotonic() - started


class Nursery:
    """A process that has torch loaded; one serves all faults, one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            # with a clock that a worker can be given wrong
            [sys.executable, "-m", "benchmarks.chaos.clock"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # the workers share few cores
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        threads = self._answer()["threads"]
        assert threads == 1, f"a process of {threads} threads cannot be forked safely"

    def ask(self, question: dict[str, Any]) -> Any:
        """Return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it, and with it every worker that it started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Load torch once, and end all workers in the end."""
    opened = Nursery()
    try:
        yield opened
    finally:
        opened.close()


class Crew:
    """The workers on one database; every one that is alive is in `pids`."""

    def __init__(self, nursery: Nursery, folder: Path, **settings: Any) -> None:
        """`settings` are those of workers.settings.WorkerSettings."""
        self._nursery = nursery
        #: folders in which its workers find packages beside those that are installed
        self.packages: list[str] = []
        # one each: the stack of one that dies might split a line of another
        self._logs = folder / "logs"
        self._logs.mkdir(exist_ok=True)
        self._numbers = itertools.count()
        self._settings = {"cache_dir": str(folder / "cache"), "device": "cpu", **settings}
        self.journal = Journal(folder / "journal.jsonl")
        self.pids: list[int] = []
        #: of those that ended by themselves
        self.exits: list[tuple[int, int]] = []

    def start(
        self, *, limits: dict[str, int] | None = None, clock: float = 0.0, **settings: Any
    ) -> int:
        """Start a worker and return its process id.

        `limits` are those of setrlimit, `clock` is by how many seconds its wall clock is wrong.
        """
        asked = {
            "journal": str(self.journal.path),
            "log": str(self._logs / f"{next(self._numbers)}.log"),
            "settings": self._settings | settings,
            "limits": limits or {},
            "clock": clock,
            "packages": self.packages,
        }
        pid = int(self._nursery.ask({"start": asked})["pid"])
        self.pids.append(pid)
        return pid

    def kill(self, pid: int) -> float:
        """End a worker as a power cut would; return when, by the monotonic clock."""
        os.kill(pid, signal.SIGKILL)
        at = time.monotonic()
        self.pids.remove(pid)
        return at

    def held(self, pid: int) -> int:
        """Have a worker tell how many bytes of its device's memory its tensors hold now."""

        def told() -> list[int]:
            entries = self.journal.entries()
            return [
                e.held for e in entries if (e.pid, e.what) == (pid, HELD) and e.held is not None
            ]

        before = len(told())
        os.kill(pid, signal.SIGUSR1)
        until("the worker tells what it holds", lambda: len(told()) > before)
        return told()[-1]

    def tend(self) -> list[tuple[int, int]]:
        """Return the workers that ended by themselves since the last call, with their status."""
        ended = [(pid, status) for pid, status in self._nursery.ask({"ended": True})]
        own = [(pid, status) for pid, status in ended if pid in self.pids]
        for pid, _ in own:
            self.pids.remove(pid)
        self.exits += own
        return own

    def log(self) -> list[dict[str, Any]]:
        """Return what the workers logged, line by line, tracebacks apart."""
        lines = [line for log in self._logs.iterdir() for line in log.read_text().splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def dismiss(self) -> None:
        """End all that are left."""
        self.tend()
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.pids.clear()


@contextmanager
def hired(nursery: Nursery, folder: Path, **settings: Any) -> Iterator[Crew]:
    """Return a crew without workers yet, and end those it got."""
    folder.mkdir(parents=True, exist_ok=True)
    crew = Crew(nursery, folder, **settings)
    try:
        yield crew
    finally:
        crew.dismiss()
