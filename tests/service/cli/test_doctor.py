"""doctor: a healthy deployment ends with 0, a broken one with 1 and a remedy."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.service.cli.conftest import Bitfloor
from tests.service.cli.conftest import Ended


def told(ended: Ended) -> dict[str, dict[str, Any]]:
    document = json.loads(ended.out)
    assert document["healthy"] == (ended.status == 0)
    return {finding["what"]: finding for finding in document["findings"]}


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITFLOOR_CACHE_DIR", str(tmp_path / "cache"))


class TestDoctor:
    def test_a_deployment_at_work_is_healthy(
        self, run: Bitfloor, store: Engine, sqlite_url: str, server: str
    ) -> None:
        ended = run("doctor", "--database-url", sqlite_url, "--server", server, "--format", "json")
        found = told(ended)
        assert ended.status == 0, ended.out
        assert {"database", "schema", "server", "device", "cache", "model root"} <= set(found)
        assert "PyTorch" in found["device"]["facts"]
        assert "is ready" in found["server"]["facts"]

    def test_what_fails_is_told_with_its_remedy(
        self, run: Bitfloor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("in the way")
        monkeypatch.setenv("BITFLOOR_CACHE_DIR", str(blocked / "cache"))
        monkeypatch.setenv("BITFLOOR_DEVICE", "tpu")
        ended = run(
            "doctor",
            *("--data-dir", str(tmp_path), "--server", "http://127.0.0.1:1"),
            *("--model-root", str(tmp_path / "nowhere"), "--format", "json"),
        )
        found = told(ended)
        assert ended.status == 1
        failed = {what for what, finding in found.items() if finding["verdict"] == "failure"}
        assert failed == {"database", "server", "device", "cache", "model root"}
        assert all(found[what]["remedy"] for what in failed)

    def test_a_warning_fails_only_the_strict(self, run: Bitfloor, sqlite_url: str) -> None:
        # nobody has announced a model there
        ended = run("doctor", "--database-url", sqlite_url)
        assert ended.status == 0, ended.out
        assert "start a worker" in ended.out
        assert run("doctor", "--database-url", sqlite_url, "--strict").status == 1

    def test_a_variable_that_cannot_be_used_is_named(
        self, run: Bitfloor, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BITFLOOR_BATCH", "many")
        ended = run("doctor", "--database-url", sqlite_url)
        assert ended.status == 1
        assert "BITFLOOR_BATCH" in ended.out
