"""A file that is saved is whole or is not there; what was there stays until it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.cli.errors import FileUnusable
from service.cli.output import write

#: writes 5,000 bytes as a process that may write files of 1,000
SHORT_OF_ROOM = """
import resource, sys
from pathlib import Path
from service.cli.errors import FileUnusable
from service.cli.output import write

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write(Path(sys.argv[1]), b"x" * 5000)
except FileUnusable as error:
    print(error)
"""


def written_short_of_room(path: Path) -> str:
    """Return what the error says."""
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_ROOM, str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout


class TestWrite:
    def test_a_new_file_is_as_readable_as_any_other(self, tmp_path: Path) -> None:
        plain = tmp_path / "plain"
        plain.touch()
        write(tmp_path / "new", b"content")
        assert (tmp_path / "new").read_bytes() == b"content"
        assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode

    def test_a_file_that_is_replaced_keeps_its_mode_and_its_links(self, tmp_path: Path) -> None:
        file, link = tmp_path / "file", tmp_path / "link"
        file.touch(0o640)
        link.symlink_to(file)
        write(link, b"content")
        assert file.read_bytes() == b"content"
        assert file.stat().st_mode & 0o777 == 0o640
        assert link.is_symlink()

    def test_without_room_nothing_half_written_is_left(self, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        assert written_short_of_room(file).startswith(f"cannot write {file}: ")
        assert list(tmp_path.iterdir()) == []

    def test_without_room_what_was_there_still_is(self, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        file.write_bytes(b"earlier")
        assert written_short_of_room(file).startswith(f"cannot write {file}: ")
        assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
        assert file.read_bytes() == b"earlier"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_full_disk_is_told_with_what_is_needed(self) -> None:
        with pytest.raises(FileUnusable, match=r"/dev/full: No space left.* 2\.00 KiB are needed"):
            write(Path("/dev/full"), bytes(2048))

    def test_a_pipe_is_written_to_and_stays_one(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        write(pipe, b"content")
        assert os.read(reading, 100) == b"content"
        os.close(reading)
        assert pipe.is_fifo()


class TestStdout:
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_full_disk_behind_it_is_one_line_and_status_1(self) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "service.cli", "--help"],
                check=False,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
            )
        assert done.returncode == 1
        assert done.stderr.startswith("error: cannot write the output: No space left on device")
        assert done.stderr.count("\n") == 1
