"""Findings go through JSON and back, and what is told of disks is so."""

from pathlib import Path

from service import findings
from service.findings import Verdict

MOUNTS = [
    "/dev/sda1 / ext4 rw 0 0",
    "tmpfs /run tmpfs rw 0 0",
    "server:/export /mnt/my\\040share nfs4 rw 0 0",
]


class TestFinding:
    def test_it_is_the_same_after_json(self) -> None:
        found = findings.warning("disk", "nearly full", remedy="free some")
        assert findings.read(found.document()) == found


class TestKindOfFileSystem:
    def test_the_longest_mount_point_that_holds_it_counts(self) -> None:
        kind = findings.kind_of_file_system
        assert kind(Path("/run/bitfloor"), MOUNTS) == "tmpfs"
        assert kind(Path("/runner"), MOUNTS) == "ext4"
        assert kind(Path("/mnt/my share/bitfloor.db"), MOUNTS) in findings.REMOTE

    def test_without_mounts_it_is_unknown(self) -> None:
        assert findings.kind_of_file_system(Path("/run"), []) == "unknown"


class TestDisk:
    def test_a_folder_that_is_not_there_yet_is_its_parents_disk(self, tmp_path: Path) -> None:
        found = findings.disk("disk", tmp_path / "not" / "yet")
        assert str(tmp_path) in found.facts
        assert not (tmp_path / "not").exists()

    def test_a_full_one_fails(self) -> None:
        # a file system of kernel objects has no room at all
        found = findings.disk("disk", Path("/proc"))
        assert found.verdict is Verdict.FAILURE
        assert found.remedy


def test_the_median_is_told() -> None:
    calls: list[int] = []
    assert findings.timed(lambda: calls.append(1), times=5) < 1
    assert len(calls) == 5
