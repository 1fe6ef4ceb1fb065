"""A Ray cluster of several nodes on this machine, on loopback, whose parts can be killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

#: addresses of the loopback network, one for each node, the head's first
FIRST_HOST = 2
#: title of an evaluator's process
EVALUATOR = b"ray::Holder"


class Nodes:
    """The processes of a cluster; each node is what one `ray start --block` started."""

    def __init__(self, folder: Path) -> None:
        """`folder` has a short name, since sockets lie in it."""
        self._folder = folder
        self._host = FIRST_HOST
        with socket.create_server((self._next_host(), 0)) as found:
            self._head, self._port = found.getsockname()
        self.address = f"{self._head}:{self._port}"
        self._started: list[subprocess.Popen[bytes]] = []

    def start_head(self) -> subprocess.Popen[bytes]:
        """Start a head that evaluates nothing."""
        options = ["--head", f"--port={self._port}", "--num-cpus=0", "--include-dashboard=false"]
        return self._start(self._head, *options, f"--temp-dir={self._folder}")

    def start_node(self, *, evaluators: int) -> subprocess.Popen[bytes]:
        """Start a node with room for so many."""
        own = self._next_host()
        return self._start(own, f"--address={self.address}", f"--num-cpus={evaluators}")

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """End all of its processes as a power cut would."""
        # from the top, so that nobody reports or cleans up what happens to the others
        for pid in (node.pid, *_below(node.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.wait()
        self._started.remove(node)

    def evaluators(self) -> list[int]:
        """Return the processes that hold a network, or are about to."""
        own = [pid for node in self._started for pid in _below(node.pid)]
        return [pid for pid in own if _title(pid).startswith(EVALUATOR)]

    def close(self) -> None:
        """End all that are left, the head last."""
        for node in reversed([*self._started]):
            self.kill(node)

    def _next_host(self) -> str:
        self._host += 1
        return f"127.0.0.{self._host - 1}"

    def _start(self, host: str, *options: str) -> subprocess.Popen[bytes]:
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        node = subprocess.Popen(
            [*ray, f"--node-ip-address={host}", "--disable-usage-stats", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.append(node)
        return node


@contextmanager
def nodes() -> Iterator[Nodes]:
    """Start nothing yet, and end what was started."""
    with tempfile.TemporaryDirectory(prefix="bf-", ignore_cleanup_errors=True) as folder:
        found = Nodes(Path(folder))
        try:
            yield found
        finally:
            found.close()


def _below(pid: int) -> list[int]:
    """Return the processes that this one started, and those that they did."""
    with suppress(OSError):
        tasks = [*Path(f"/proc/{pid}/task").glob("*/children")]
        children = [int(child) for task in tasks for child in task.read_text().split()]
        return [found for child in children for found in (child, *_below(child))]
    return []


def _title(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
