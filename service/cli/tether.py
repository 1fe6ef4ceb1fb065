"""Becomes the Python program it is given, after asking the kernel to end it with its parent.

Run as `python -m service.cli.tether PARENT_PID ARGUMENT...`; the arguments are those of Python. It
imports next to nothing, so it is quick, and as it replaces itself, no process stays in between.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; kept across exec


def main(arguments: list[str]) -> None:
    """Replace this process; returns only where the parent is gone already."""
    parent, *command = arguments
    if sys.platform == "linux":
        # SIGKILL: a worker whose GPU hangs would not heed anything gentler, and its lease lapses
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):  # it may have died before the kernel was asked
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  # our own interpreter


if __name__ == "__main__":
    main(sys.argv[1:])
