"""One child process kept running: restarted with growing pauses, ended with its parent."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

FIRST_PAUSE = 0.5  # seconds before the first restart; doubles
LONGEST_PAUSE = 30.0  # seconds
#: secrets in the environment that the API alone needs
NOT_ITS_OWN = frozenset({"BITFLOOR_WEBHOOK_SECRET", "BITFLOOR_WEBHOOK_SECRET_FILE"})
STEADY = 60.0  # seconds a child must last for the pauses to start over


class KeptChild:
    """A Python program kept running; every method is called from the main thread.

    The kernel ends the child when the *thread* that started it ends, hence the main one.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._due = 0.0
        self._wanted = True

    @property
    def pid(self) -> int | None:
        """The running child's, None between two of them."""
        return self._process.pid if self._process else None

    def tend(self, now: float) -> str | None:
        """Start the child if it is due; return a sentence where one has just ended.

        `now` is in seconds, from any clock that only goes forward.
        """
        if self._process is None:
            if self._wanted and now >= self._due:
                self._start(now)
            return None
        status = self._process.poll()
        if status is None:
            return None
        if now - self._started >= STEADY:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        self._process, self._due = None, now + pause
        return f"the worker ended ({_ending(status)}); another one starts in {pause:g} s"

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and start no other."""
        self._wanted = False
        if self._process:
            self._process.terminate()

    def gone(self) -> bool:
        """Tell whether no child runs."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End the child and whatever it started at once, and wait until it is gone."""
        self._wanted = False
        if self._process:
            if self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _start(self, now: float) -> None:
        tether = (sys.executable, "-m", "service.cli.tether", str(os.getpid()))
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [*tether, *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # stdout is for the addresses
            env={name: said for name, said in os.environ.items() if name not in NOT_ITS_OWN},
            # Ctrl-C in the terminal goes to us alone: we say when the child stops
            process_group=0,
        )
        self._started = now


def _ending(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    return f"signal {signal.Signals(-status).name}"
