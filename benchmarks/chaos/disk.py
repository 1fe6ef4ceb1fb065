"""A small disk of one's own, to be filled and freed: a file system in memory.

It is there as long as the process that holds it, so that nothing of it outlives this one. Where
nobody may mount anything, it is in a mount namespace of that process, and reached through /proc.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

#: mounts, tells so, and takes the mount away when its input ends
_HOLD = 'mount -t tmpfs -o size="$2",mode=755 tmpfs "$1" && echo && read _; umount -l "$1"'
_APART = ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount")
_CHUNKS = (2**20, 2**12)  # bytes


class NoDiskOfOnesOwn(Exception):
    """Nothing can be mounted here."""

    def __init__(self) -> None:
        super().__init__("no file system can be mounted; run it as root, or allow user namespaces")


class Disk:
    """A folder with so much room and no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no byte free."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for chunk in _CHUNKS:
            with suppress(OSError):
                while True:
                    os.write(descriptor, bytes(chunk))
        os.close(descriptor)

    def free(self) -> None:
        """Give back all that was filled."""
        self._ballast.unlink()

    def files(self) -> set[str]:
        """Return the paths of everything on it but what fills it, hidden or not."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)) for path in found} - {self._ballast.name}


@contextmanager
def small(folder: Path, size: str) -> Iterator[Disk]:
    """Mount a disk of the size, such as "8m", at a new folder; nothing is left of it."""
    folder.mkdir()
    command = ("sh", "-c", _HOLD, "disk", str(folder), size)
    for way in ((), _APART):
        with subprocess.Popen(
            [*way, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # what is meant for this process alone must not take the disk away from under it
            start_new_session=True,
        ) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            if holder.stdout.readline():
                try:
                    yield Disk(Path(f"/proc/{holder.pid}/root{folder}") if way else folder)
                finally:
                    holder.stdin.close()
                    holder.wait()
                return
    raise NoDiskOfOnesOwn
