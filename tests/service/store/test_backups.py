"""Copies of the embedded database: whole, of a database in use, and put back without a loss."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from service.store import backups
from service.store import jobs
from service.store import schema
from service.store import session
from service.store.errors import BackupFailed
from service.store.errors import BackupUnusable
from service.store.errors import DatabaseInUse
from service.store.errors import DatabaseUnreachable
from service.store.errors import NotEmbedded
from service.store.errors import UnsupportedDatabase
from tests.conftest import opened
from tests.contracts.samples import enqueue


@pytest.fixture
def database(sqlite_url: str) -> Path:
    return backups.file_of(sqlite_url)


def add_jobs(database: Path, count: int) -> list[str]:
    with opened(f"sqlite:///{database}") as engine:
        return [enqueue(engine).id for _ in range(count)]


def ids(database: Path) -> set[str]:
    with opened(f"sqlite:///{database}") as engine:
        return {job.id for job in jobs.page(engine, limit=1_000_000).items}


class TestFileOf:
    def test_a_server_has_no_file(self) -> None:
        with pytest.raises(NotEmbedded, match="pg_dump") as caught:
            backups.file_of("postgresql://me:s3cret@host/name")
        assert "s3cret" not in str(caught.value)

    def test_what_is_no_url_is_not_repeated(self) -> None:
        with pytest.raises(UnsupportedDatabase) as caught:
            backups.file_of("s3cret")
        assert "s3cret" not in str(caught.value)

    def test_a_file_that_is_asked_for_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseUnreachable, match="no such file"):
            backups.require_file(f"sqlite:///{tmp_path}/none.db")
        backups.require_file("postgresql://host/name")
        assert list(tmp_path.iterdir()) == []


class TestBackUp:
    def test_it_is_one_file_that_holds_every_job(self, database: Path, tmp_path: Path) -> None:
        added = add_jobs(database, 3)
        target = tmp_path / "copy.db"
        made = backups.back_up(database, target)
        assert (made.jobs, made.trials, made.revision) == (3, 0, schema.head())
        assert made.bytes == target.stat().st_size
        assert target.stat().st_mode & 0o077 == 0
        assert sorted(tmp_path.glob("*copy.db*")) == [target]
        assert ids(target) == set(added)

    def test_writers_go_on_meanwhile_and_none_is_torn(self, database: Path, tmp_path: Path) -> None:
        written: list[str] = []
        stop = threading.Event()

        def write() -> None:
            with opened(f"sqlite:///{database}") as engine:
                while not stop.is_set():
                    written.append(enqueue(engine).id)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                before = list(written)
                target = tmp_path / f"{number}.db"
                assert backups.back_up(database, target).jobs >= len(before)
                assert set(before) <= ids(target)
        finally:
            stop.set()
            writer.join()
        assert ids(database) >= set(written[-100:])

    def test_nothing_is_overwritten_unless_said(self, database: Path, tmp_path: Path) -> None:
        target = tmp_path / "copy.db"
        target.write_text("mine")
        with pytest.raises(BackupFailed, match="--replace"):
            backups.back_up(database, target)
        assert target.read_text() == "mine"
        backups.back_up(database, target, replace=True)
        assert ids(target) == set()

    def test_the_database_itself_is_never_the_target(self, database: Path) -> None:
        with pytest.raises(BackupFailed, match="the database itself"):
            backups.back_up(database, database, replace=True)

    def test_a_folder_that_is_not_there_is_told(self, database: Path, tmp_path: Path) -> None:
        with pytest.raises(BackupFailed, match="No such file"):
            backups.back_up(database, tmp_path / "nowhere" / "copy.db")

    def test_a_damaged_database_replaces_no_good_copy(self, database: Path, tmp_path: Path) -> None:
        add_jobs(database, 60)
        target = tmp_path / "copy.db"
        backups.back_up(database, target)
        good = target.read_bytes()
        damage(database)
        with pytest.raises((BackupUnusable, BackupFailed)):
            backups.back_up(database, target, replace=True)
        assert target.read_bytes() == good
        assert not list(tmp_path.glob(".*part*"))


def damage(database: Path) -> None:
    """Overwrite every page of an index, which no count of rows reads."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_jobs_tenant_newest'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((root - 1) * size + size // 2)
        file.write(b"\xff" * (size // 2))


class TestRestore:
    def test_what_was_lost_is_back_and_what_was_there_is_kept(
        self, database: Path, tmp_path: Path
    ) -> None:
        first = add_jobs(database, 2)
        copy = tmp_path / "copy.db"
        backups.back_up(database, copy)
        later = add_jobs(database, 1)
        kept = backups.restore(copy, database)
        assert kept is not None
        assert ids(database) == set(first)
        assert ids(kept) == {*first, *later}
        assert ids(copy) == set(first)

    def test_it_makes_a_database_where_there_is_none(self, database: Path, tmp_path: Path) -> None:
        added = add_jobs(database, 1)
        elsewhere = tmp_path / "elsewhere.db"
        assert backups.restore(database, elsewhere) is None
        assert ids(elsewhere) == set(added)

    def test_an_older_schema_is_brought_to_this_version(
        self, blank_sqlite_url: str, tmp_path: Path
    ) -> None:
        from alembic import command

        older = tmp_path / "older.db"
        with opened(f"sqlite:///{older}") as engine, engine.begin() as connection:
            command.upgrade(schema.alembic_config(connection), "2026_11_23_verdicts")
        target = backups.file_of(blank_sqlite_url)
        backups.restore(older, target)
        with opened(blank_sqlite_url) as engine:
            session.require_current_schema(engine)

    def test_a_database_in_use_is_left_alone(self, database: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy.db"
        backups.back_up(database, copy)
        with opened(f"sqlite:///{database}") as engine:
            added = enqueue(engine).id
            with pytest.raises(DatabaseInUse, match="stop the"):
                backups.restore(copy, database)
            assert jobs.get(engine, added).id == added
        assert sorted(tmp_path.glob("*.db*")) == sorted([copy, database])

    @pytest.mark.parametrize(
        "content, why",
        [
            (None, "unable to open"),
            (b"", "no such table"),
            (b"not a database at all, though it is long enough" * 100, "not a database"),
        ],
    )
    def test_what_is_no_backup_is_refused(
        self, database: Path, tmp_path: Path, content: bytes | None, why: str
    ) -> None:
        added = add_jobs(database, 1)
        copy = tmp_path / "copy.db"
        if content is not None:
            copy.write_bytes(content)
        with pytest.raises(BackupUnusable, match=why):
            backups.restore(copy, database)
        assert ids(database) == set(added)

    def test_a_newer_or_a_damaged_one_is_refused(self, database: Path, tmp_path: Path) -> None:
        add_jobs(database, 60)
        newer, damaged = tmp_path / "newer.db", tmp_path / "damaged.db"
        for copy in (newer, damaged):
            backups.back_up(database, copy)
        with closing(sqlite3.connect(newer)) as connection, connection:
            connection.execute("UPDATE bitfloor_version SET version_num = '2099_01_01'")
        damage(damaged)
        with pytest.raises(BackupUnusable, match="2099_01_01, is not known"):
            backups.restore(newer, database)
        with pytest.raises(BackupUnusable, match="damaged"):
            backups.restore(damaged, database)

    def test_even_a_database_that_cannot_be_read_is_kept(
        self, database: Path, tmp_path: Path
    ) -> None:
        added = add_jobs(database, 1)
        copy = tmp_path / "copy.db"
        backups.back_up(database, copy)
        database.write_bytes(b"\0" * 8192)
        kept = backups.restore(copy, database)
        assert kept is not None
        assert kept.read_bytes() == b"\0" * 8192
        assert ids(database) == set(added)
