"""backup and restore on the command line: what is said, and what a mistake costs."""

from pathlib import Path

import pytest

from service.store import backups
from tests.conftest import opened
from tests.contracts.samples import enqueue
from tests.service.cli.conftest import Bitfloor


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path) -> str:
    """Return a data folder as `bitfloor up` leaves it, with one job."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "bitfloor.db").write_bytes(migrated_sqlite.read_bytes())
    with opened(f"sqlite:///{data}/bitfloor.db") as engine:
        enqueue(engine)
    return str(data)


class TestBackup:
    def test_there_and_back(self, run: Bitfloor, folder: str, tmp_path: Path) -> None:
        copy = tmp_path / "copy.db"
        ended = run("backup", str(copy), "--data-dir", folder)
        assert ended.status == 0, ended.err
        assert f"wrote {copy}: 1 jobs, 0 trials" in ended.err
        elsewhere = tmp_path / "elsewhere"
        ended = run("restore", str(copy), "--data-dir", str(elsewhere))
        assert ended.status == 0, ended.err
        assert "now" not in ended.err
        assert backups.inspect(elsewhere / "bitfloor.db").jobs == 1

    def test_what_is_replaced_is_kept_and_named(
        self, run: Bitfloor, folder: str, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy.db"
        run("backup", str(copy), "--data-dir", folder)
        ended = run("restore", str(copy), "--data-dir", folder)
        assert ended.status == 0, ended.err
        kept = Path(ended.err.strip().rsplit(" ", 1)[1])
        assert backups.inspect(kept).jobs == 1

    @pytest.mark.parametrize("command", ["backup", "restore"])
    def test_a_servers_database_is_for_its_own_tools(
        self, run: Bitfloor, tmp_path: Path, command: str
    ) -> None:
        file, url = str(tmp_path / "copy.db"), "postgresql://me:s3cret@host/name"
        ended = run(command, file, "--database-url", url)
        assert ended.status == 1
        assert "pg_dump" in ended.err
        assert "s3cret" not in ended.err

    def test_a_folder_without_a_database_is_told(self, run: Bitfloor, tmp_path: Path) -> None:
        ended = run("backup", str(tmp_path / "copy.db"), "--data-dir", str(tmp_path))
        assert ended.status == 1
        assert "bitfloor.db" in ended.err
        assert list(tmp_path.iterdir()) == []
