"""Workers as processes of their own, and patience with them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

PATIENCE = 120.0  # seconds; torch is imported, on a busy machine

Found = TypeVar("Found")


@contextmanager
def worker_process(
    url: str, *options: str, log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker that logs there and end it in any case."""
    command = [sys.executable, "-m", "workers", "--database-url", url, *options]
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=os.environ | (environment or {}))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(look: Callable[[], Found], *, seconds: float = PATIENCE, pause: float = 0.05) -> Found:
    """Return what `look` returns once that is true; the pauses leave the processor to others."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


def has_logged(log: Path, word: str) -> bool:
    """Tell whether the worker has written the word."""
    return log.exists() and word in log.read_text(encoding="utf-8")
