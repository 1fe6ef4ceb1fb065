"""`bitfloor up` as users run it: real processes, a real worker, real signals."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.service.cli.test_children import until_gone
from tests.workers.processes import until

pytestmark = [pytest.mark.slow]

STARTUP = 120.0  # seconds; torch is imported, on a busy machine


@dataclass(frozen=True)
class Up:
    """A running `bitfloor up`."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def worker(self) -> int:
        """Return the process id of its worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text(encoding="utf-8").split()[0])

    def ends(self, *, within: float) -> int:
        """Return its exit status."""
        return self.process.wait(within)


def command(data_dir: Path, *extra: str, port: int = 0) -> list[str]:
    """Return the command line."""
    options = ["--data-dir", str(data_dir), "--port", str(port), *extra]
    return [sys.executable, "-m", "service.cli", "up", *options]


@contextmanager
def started(tmp_path: Path, *extra: str) -> Iterator[Up]:
    """Run it until it says that it is ready, and end it whatever happens."""
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            command(tmp_path / "data", *extra), stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("server "), log.read_text(encoding="utf-8")
            yield Up(process, line.split()[1], log)
        finally:
            process.kill()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Return a running one."""
    with started(tmp_path) as running:
        yield running


class TestReady:
    def test_once_the_addresses_are_printed_everything_answers(self, up: Up) -> None:
        assert httpx.get(f"{up.address}/readyz", timeout=30).status_code == 200
        assert httpx.get(f"{up.address}/docs", timeout=30).status_code == 200
        assert httpx.get(f"{up.address}/", follow_redirects=True, timeout=30).status_code == 200
        models = httpx.get(f"{up.address}/v1/models", timeout=30).json()["items"]
        assert "digits-vgg" in {model["name"] for model in models}


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_one_signal_stops_everything_cleanly(self, up: Up, number: signal.Signals) -> None:
        worker = up.worker()
        up.process.send_signal(number)
        assert up.ends(within=30) == 0
        assert until_gone(worker, seconds=5)
        assert "Traceback" not in up.log.read_text(encoding="utf-8")

    def test_a_follower_of_events_does_not_hold_it_up(self, up: Up) -> None:
        spec = {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02, "budget": 2000}
        job = httpx.post(f"{up.address}/v1/jobs", json=spec, timeout=30).json()["id"]
        with httpx.stream("GET", f"{up.address}/v1/jobs/{job}/events", timeout=60) as events:
            next(events.iter_lines())
            up.process.terminate()
            assert up.ends(within=30) == 0

    def test_killed_it_leaves_no_worker_behind(self, up: Up) -> None:
        worker = up.worker()
        up.process.kill()
        assert until_gone(worker)

    def test_a_second_signal_stops_at_once_though_the_worker_hangs(self, up: Up) -> None:
        worker = up.worker()
        os.kill(worker, signal.SIGSTOP)
        up.process.terminate()
        until(lambda: "once more stops at once" in up.log.read_text(encoding="utf-8"), seconds=20)
        up.process.terminate()
        up.ends(within=8)
        assert until_gone(worker)


class TestWorker:
    def test_a_worker_that_dies_is_replaced(self, up: Up) -> None:
        first = up.worker()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if up.worker() != first:
                    break
            except IndexError:
                pass  # between two workers
            time.sleep(0.1)
        assert up.worker() != first
        assert "signal SIGKILL" in up.log.read_text(encoding="utf-8")


class TestDoor:
    @pytest.mark.parametrize("extra", [("--host", "0.0.0.0"), ("--require-tokens",)])  # noqa: S104 - asks for tokens
    def test_without_a_token_nobody_could_use_it_refuses_to_start(
        self, tmp_path: Path, extra: tuple[str, ...]
    ) -> None:
        ended = subprocess.run(
            command(tmp_path, *extra), capture_output=True, text=True, check=False, timeout=STARTUP
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "bitfloor token create NAME" in ended.stderr
        assert ended.stderr.count("\n") == 1

    def test_others_may_connect_and_need_the_token(self, tmp_path: Path) -> None:
        made = subprocess.run(
            [
                *(sys.executable, "-m", "service.cli", "token", "create", "ci"),
                *("--data-dir", str(tmp_path / "data")),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        shown = made.stdout.strip()
        with started(tmp_path, "--host", "0.0.0.0") as up:  # noqa: S104 - asks for tokens
            listing = f"{up.address}/v1/jobs"
            assert httpx.get(listing, timeout=30).status_code == 401
            headers = {"Authorization": f"Bearer {shown}", "Host": "bitfloor.example"}
            assert httpx.get(listing, headers=headers, timeout=30).status_code == 200
            assert shown not in up.log.read_text(encoding="utf-8")

    def test_on_loopback_it_answers_to_its_own_names_only(self, up: Up) -> None:
        answer = httpx.get(f"{up.address}/v1/jobs", headers={"Host": "evil.example"}, timeout=30)
        assert answer.status_code == 421


class TestErrors:
    def test_a_taken_port_is_one_line_and_status_1(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ended = subprocess.run(
                command(tmp_path, port=taken.getsockname()[1]),
                capture_output=True,
                text=True,
                check=False,
                timeout=STARTUP,
            )
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("error: port ")
        assert ended.stderr.count("\n") == 1

    def test_a_data_folder_that_cannot_be_made_is_one_line_and_status_1(self) -> None:
        ended = subprocess.run(
            command(Path("/dev/null/data")), capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("error: cannot write /dev/null/data")
