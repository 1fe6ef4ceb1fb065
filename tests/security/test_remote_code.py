"""CVE-2024-22476 and CVE-2024-39766: what a request names is never fetched, executed or unpickled.

Both were holes of Intel Neural Compressor's service: it fetched and ran a script whose URL was
submitted, and put submitted text into a shell command. One process runs API and worker under audit
hooks, is sent both attacks in every field, and tells what it did.
"""

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rules.source import ROOT
from tests.security.audited import COMMANDS
from tests.security.audited import PROCESSES
from tests.security.audited import Recorder
from tests.security.audited import requests
from tests.security.audited import specs


@dataclass(frozen=True)
class Seen:
    """What the attacked process did, and whether anybody connected to the attacker."""

    folder: Path
    told: dict[str, Any]
    connected: bool

    def events(self, *kinds: str) -> list[str]:
        return [event for event in self.told["events"] if event.startswith(kinds)]


@pytest.fixture(scope="module")
def seen(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Attack once, with a server of the attacker's that waits for a connection."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copy(migrated_sqlite, folder / "bitfloor.db")
    with socket.create_server(("127.0.0.1", 0)) as attacker:
        attacker.settimeout(0.1)
        url = f"http://127.0.0.1:{attacker.getsockname()[1]}/train.py"
        command = [sys.executable, "-m", "tests.security.audited", str(folder), url]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=170
        )
        assert done.returncode == 0, done.stderr
        try:
            attacker.accept()[0].close()
            connected = True
        except TimeoutError:
            connected = False
    return Seen(folder, json.loads(done.stdout), connected)


def test_cve_2024_22476_a_script_by_url_is_never_fetched(seen: Seen) -> None:
    assert not seen.connected
    assert seen.events("socket", "urllib", "http") == []


def test_cve_2024_39766_no_text_starts_a_process(seen: Seen) -> None:
    assert seen.events(*PROCESSES) == []
    assert not list(seen.folder.glob("**/marker*"))


def test_nothing_is_unpickled_on_the_way(seen: Seen) -> None:
    assert seen.events("pickle") == []


def test_the_api_answers_every_one_of_them_without_an_error_of_its_own(seen: Seen) -> None:
    per_attack = len(list(requests("x")))
    assert len(seen.told["statuses"]) == per_attack * (len(COMMANDS) + 1)
    assert {*seen.told["statuses"]} <= {200, 202, 400, 404, 409, 422}


def test_a_worker_fails_every_such_job_with_a_clear_cause(seen: Seen) -> None:
    assert len(seen.told["jobs"]) == len(list(specs("x")))
    for state, code, message in seen.told["jobs"]:
        assert (state, code != "worker-error") == ("failed", True), message
        assert code in {
            "unknown-model",
            "unknown-weights",
            "unknown-dataset",
            "unknown-sampler",
            "unknown-quantizer",
            "unusable-data",
            "file-not-allowed",
            "invalid-spec",
        }


def test_a_process_or_a_connection_would_have_been_seen() -> None:
    recorder = Recorder(*PROCESSES, "socket.connect", "pickle.find_class")
    recorder.on = True
    sys.addaudithook(recorder)
    subprocess.run(["true"], check=True)
    with socket.socket() as nowhere, pytest.raises(OSError, match="refused"):
        nowhere.connect(("127.0.0.1", 1))
    recorder.on = False
    kinds = {event.partition(" ")[0] for event in recorder.events}
    assert {"subprocess.Popen", "socket.connect"} <= kinds
