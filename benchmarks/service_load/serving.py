"""The service as its users start it: a process of its own, and what it takes of the machine."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service_load.ground import TENANT

#: far above what is sent: the limit for one address is not what is measured
REQUESTS_PER_MINUTE = "10000000"
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Server:
    """A running `bitfloor serve`."""

    process: subprocess.Popen[str]
    address: str

    def cpu(self) -> float:
        """Return the seconds of processor that it has used so far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Return the bytes of memory that it holds."""
        found = re.search(r"^VmRSS:\s+(\d+) kB$", self._proc("status"), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="utf-8")


@contextmanager
def served(url: str, log: Path, *, tokens: bool) -> Iterator[Server]:
    """Run `bitfloor serve` over the database; its log goes to the file."""
    options = ["--require-tokens"] if tokens else []
    environment = {**os.environ, "BITFLOOR_REQUESTS_PER_MINUTE": REQUESTS_PER_MINUTE}
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*_COMMAND, "serve", "--database-url", url, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("server "), log.read_text(encoding="utf-8")
            yield Server(process, line.split()[1])
        finally:
            process.kill()


def token(url: str, tenant: str = TENANT) -> str:
    """Return a new token of the tenant's, made as operators make it."""
    command = [*_COMMAND, "token", "create", "load", "--tenant", tenant, "--database-url", url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


_COMMAND = (sys.executable, "-m", "service.cli")
