"""The command line as a whole: errors are one line, and statuses can be relied on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.cli.conftest import Bitfloor

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


class TestErrors:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("list",),
            ("show", "x"),
            ("watch-nothing",),
            ("best",),
            ("best", "x", "--nope"),
            ("best", "x", "--format", "xml"),
            ("best", "x", "--fail-unless", "saved"),
            ("list", "--state", "lost"),
            ("list", "--limit", "0"),
            ("submit", "/nowhere/spec.yaml"),
            ("show", "x", "--server", "no-url"),
            ("show", "x", "--server", "http://[broken"),
            ("migrate", "--database-url", "mysql://root:secret@host/name"),
            ("migrate", "--database-url", "sqlite:////nowhere/at/all/b.db"),
            ("migrate", "--database-url", "postgresql://u:secret@127.0.0.1:9/name"),
            ("serve", "--database-url", "sqlite:////nowhere/at/all/b.db", "--port", "0"),
            ("serve", "--database-url", "sqlite:///x.db", "--port", "70000"),
        ],
    )
    def test_every_error_is_one_line_on_stderr(
        self, run: Bitfloor, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
    ) -> None:
        monkeypatch.setenv("BITFLOOR_SERVER", NOBODY)
        ended = run(*arguments)
        assert ended.status in {1, 2}
        assert ended.out == ""
        assert ended.err.startswith("error: ")
        assert ended.err.count("\n") == 1
        assert "unexpected" not in ended.err
        assert "secret" not in ended.err

    def test_an_environment_variable_that_cannot_be_used_is_named(
        self, run: Bitfloor, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BITFLOOR_FOLLOW_SECONDS", "often")
        ended = run("serve", "--database-url", sqlite_url, "--port", "0")
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("error: BITFLOOR_FOLLOW_SECONDS: ")
        assert ended.err.count("\n") == 1

    def test_an_unreachable_server_comes_with_the_remedy(self, run: Bitfloor) -> None:
        ended = run("list", "--server", NOBODY)
        assert ended.status == 1
        assert NOBODY in ended.err
        assert "bitfloor up" in ended.err
        assert "--server" in ended.err

    def test_a_wrong_command_line_is_status_2_and_points_to_the_help(self, run: Bitfloor) -> None:
        ended = run("best", "--nope")
        assert ended.status == 2
        assert "bitfloor best --help" in ended.err

    def test_a_reader_that_leaves_early_gets_no_traceback(self) -> None:
        # head closes the pipe at once; Python must not complain about it when it ends
        command = f"{sys.executable} -m service.cli --help | head -c 1 >/dev/null"
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert ended.stderr == ""


class TestHelp:
    def test_without_a_command_it_lists_the_commands(self, run: Bitfloor) -> None:
        ended = run()
        assert ended.status == 0
        for command in ("up", "serve", "worker", "migrate", "demo", "submit", "watch", "list"):
            assert f" {command} " in ended.out

    def test_the_exit_statuses_in_the_guide_are_those_of_the_code(self) -> None:
        from service.cli.errors import ExitStatus

        guide = Path("docs/cli.md").read_text(encoding="utf-8")
        rows = [line for line in guide.splitlines() if line.startswith("| ")]
        told = {int(row.split("|")[1]) for row in rows if row.split("|")[1].strip().isdigit()}
        assert told == {status.value for status in ExitStatus}


class TestInstalledAsAClient:
    BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"fastapi", "uvicorn", "sqlalchemy", "alembic", "torch",
                "plotly", "optuna", "structlog", "starlette", "numpy", "pydantic_settings"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
from service.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

    def client(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", self.BLOCKED, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_client_commands_work_without_server_packages(self) -> None:
        ended = self.client("list", "--server", NOBODY)
        assert ended.returncode == 1
        assert "no server answers" in ended.stderr

    @pytest.mark.parametrize(
        "arguments, extra",
        [
            (("serve", "--database-url", "sqlite:///x.db"), "service"),
            (("migrate", "--database-url", "sqlite:///x.db"), "store"),
            (("worker",), "worker"),
            (("up",), "worker"),
        ],
    )
    def test_server_commands_say_what_to_install(
        self, arguments: tuple[str, ...], extra: str
    ) -> None:
        ended = self.client(*arguments)
        assert ended.returncode == 1
        assert f"needs: pip install 'bitfloor[{extra}]'" in ended.stderr
        assert ended.stderr.count("\n") == 1

    def test_what_is_verified_is_read_before_torch_is_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "best.json"
        path.write_text("{}")
        assert "format: field required" in self.client("verify", str(path)).stderr
        path.write_text(json.dumps(BEST_DOCUMENT))
        ended = self.client("verify", str(path))
        assert ended.returncode == 1
        assert "needs: pip install 'bitfloor[worker]'" in ended.stderr
