"""token and quota: made at the database, shown once, and good for what they say."""

import json
from pathlib import Path

import pytest

from service.api.app import create_app
from service.store import tokens
from service.store.access import Scope
from tests.conftest import opened
from tests.service.api import deployment
from tests.service.api.doors import LOCKED
from tests.service.cli.conftest import Bitfloor


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "data")


def listed(run: Bitfloor, folder: str, group: str = "token") -> list[dict[str, object]]:
    ended = run(group, "list", "--format", "json", "--data-dir", folder)
    assert ended.status == 0, ended.err
    found: list[dict[str, object]] = json.loads(ended.out)
    return found


class TestToken:
    def test_a_token_is_printed_alone_and_listed_without_its_secret(
        self, run: Bitfloor, folder: str
    ) -> None:
        made = run("token", "create", "ci", "--tenant", "vision", "--data-dir", folder)
        assert made.status == 0, made.err
        shown = made.out.strip()
        assert shown.startswith("bitfloor_")
        assert shown not in made.err
        (token,) = listed(run, folder)
        assert token["id"] == shown.split("_")[1]
        assert token["scopes"] == ["read", "submit"]
        assert (token["tenant"], token["expires"], token["revoked"]) == ("vision", None, None)
        table = run("token", "list", "--data-dir", folder).out
        assert "vision" in table
        assert shown.split("_", 2)[2] not in table + json.dumps(token)

    def test_it_opens_the_service_until_it_is_revoked(
        self, run: Bitfloor, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = run("token", "create", "ci", "--scope", "read", "--database-url", sqlite_url)
        shown = made.out.strip()
        with opened(sqlite_url) as engine, deployment.served(create_app(engine, LOCKED)) as server:
            assert "a token is needed" in run("list", "--server", server).err
            monkeypatch.setenv("BITFLOOR_TOKEN", shown)
            assert run("list", "--server", server).status == 0
            ended = run("token", "revoke", shown.split("_")[1], "--database-url", sqlite_url)
            assert ended.status == 0, ended.err
            assert "revoked" in run("list", "--server", server).err

    def test_the_client_reads_it_from_a_file(
        self,
        run: Bitfloor,
        sqlite_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        kept = tmp_path / "token"
        with opened(sqlite_url) as engine, deployment.served(create_app(engine, LOCKED)) as server:
            _, shown = tokens.create(
                engine, tenant="vision", name="ci", scopes=frozenset({Scope.READ})
            )
            kept.write_text(shown + "\n")
            monkeypatch.setenv("BITFLOOR_TOKEN_FILE", str(kept))
            assert run("list", "--server", server).status == 0
            kept.unlink()
            ended = run("list", "--server", server)
            assert ended.status == 2
            assert "BITFLOOR_TOKEN_FILE" in ended.err

    @pytest.mark.parametrize(
        "arguments, field",
        [
            (["CI Runner"], "NAME"),
            (["ci", "--tenant", "../x"], "--tenant"),
            (["ci", "--expires-in", "soon"], "--expires-in"),
            (["ci", "--expires-in", "0d"], "--expires-in"),
            (["ci", "--scope", "root"], "--scope"),
        ],
    )
    def test_what_cannot_be_used_is_named_and_nothing_made(
        self, run: Bitfloor, folder: str, arguments: list[str], field: str
    ) -> None:
        ended = run("token", "create", *arguments, "--data-dir", folder)
        assert ended.status == 2
        assert field in ended.err
        assert len(ended.err.splitlines()) == 1
        assert listed(run, folder) == []

    def test_revoking_what_is_not_there_is_one_line_and_status_1(
        self, run: Bitfloor, folder: str
    ) -> None:
        ended = run("token", "revoke", "abc", "--data-dir", folder)
        assert ended.status == 1
        assert "bitfloor token list" in ended.err


class TestQuota:
    def test_a_quota_is_set_listed_and_removed(self, run: Bitfloor, folder: str) -> None:
        where = ["--data-dir", folder]
        assert run("quota", "set", "*", "--queued-jobs", "5", *where).status == 0
        assert run("quota", "set", "vision", "--trials", "900", *where).status == 0
        found = listed(run, folder, "quota")
        assert [(one["tenant"], one["queued_jobs"], one["trials"]) for one in found] == [
            ("*", 5, None),
            ("vision", None, 900),
        ]
        assert "vision" in run("quota", "list", *where).out
        assert "removed" in run("quota", "remove", "vision", *where).err
        assert "had no quota" in run("quota", "remove", "vision", *where).err
        assert run("quota", "set", "-", *where).status == 2
