"""A Ray cluster of several nodes on this machine, on loopback, whose parts can be killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

from benchmarks.chaos.crew import until

Node = subprocess.Popen[bytes]

#: addresses of the loopback network, one for each node, the head's first
FIRST_HOST = 2
RAY = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block")
#: what it says once the node is there
UP = "block forever"
TRIES, PAUSE = 5, 3.0  # seconds between two
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
        self._started: list[Node] = []

    def start_head(self) -> Node:
        """Start a head that evaluates nothing."""
        options = ["--head", f"--port={self._port}", "--num-cpus=0", "--include-dashboard=false"]
        return self._start(self._head, *options, f"--temp-dir={self._folder}")

    def start_node(self, *, evaluators: int) -> Node:
        """Start a node with room for so many."""
        own = self._next_host()
        return self._start(own, f"--address={self.address}", f"--num-cpus={evaluators}")

    def kill(self, node: Node) -> None:
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

    def _start(self, host: str, *options: str) -> Node:
        """Start a node and wait until it is there: two at a time may choose the same ports."""
        for _ in range(TRIES):
            node = self._tried(host, options)
            if node is not None:
                self._started.append(node)
                return node
            # others, too, may be starting a cluster
            time.sleep(PAUSE)
        told = (self._folder / f"{host}.log").read_text()[-2000:]
        raise AssertionError(f"a node of a Ray cluster could not be started on {host}: {told}")

    def _tried(self, host: str, options: Sequence[str]) -> Node | None:
        log = self._folder / f"{host}.log"
        with log.open("w") as file:
            node = subprocess.Popen(
                [*RAY, f"--node-ip-address={host}", "--disable-usage-stats", *options],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        until("a node is there", lambda: UP in log.read_text() or node.poll() is not None)
        return node if node.poll() is None else None


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
