"""What a look at a deployment found: facts in words, a verdict, a remedy where one is needed."""

import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shutil import disk_usage

GIB = 2**30
LOW_DISK = 2 * GIB  # bytes: a big job's trials, or a dataset's pictures, may need as much
FULL_DISK = GIB // 10  # bytes

#: file systems of other machines, on which SQLite's log in shared memory does not work
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "lustre"})


class Verdict(StrEnum):
    """How good it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    facts: str
    #: what to do; empty if all is well
    remedy: str = ""

    def document(self) -> Mapping[str, str]:
        """Return it as JSON has it."""
        return {
            "what": self.what,
            "verdict": self.verdict.value,
            "facts": self.facts,
            "remedy": self.remedy,
        }


def read(document: Mapping[str, str]) -> Finding:
    """Return the finding that `document()` told."""
    verdict = Verdict(document["verdict"])
    return Finding(document["what"], verdict, document["facts"], document["remedy"])


def ok(what: str, facts: str) -> Finding:
    """All is well."""
    return Finding(what, Verdict.OK, facts)


def warning(what: str, facts: str, *, remedy: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(what, Verdict.WARNING, facts, remedy)


def failure(what: str, facts: str, *, remedy: str) -> Finding:
    """It does not work."""
    return Finding(what, Verdict.FAILURE, facts, remedy)


def disk(what: str, folder: Path) -> Finding:
    """Look how much room the folder has, or its nearest parent that exists."""
    there = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    usage = disk_usage(there)
    facts = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.1f} GiB free at {there}"
    if usage.free < FULL_DISK:
        return failure(what, facts, remedy="free some room, or move the folder")
    if usage.free < LOW_DISK:
        return warning(what, facts, remedy="free some room before a large job needs it")
    return ok(what, facts)


def kind_of_file_system(folder: Path, mounts: Iterable[str]) -> str:
    """Return the kind of the file system that holds the folder.

    `mounts` are the lines of /proc/self/mounts; "unknown" where none holds it.
    """
    place, kind, longest = folder.resolve(), "unknown", -1
    for line in mounts:
        _, mounted, found, *_ = line.split(" ")
        at = Path(mounted.replace("\\040", " "))
        if place.is_relative_to(at) and len(at.parts) >= longest:
            kind, longest = found, len(at.parts)
    return kind


def timed(work: Callable[[], object], *, times: int) -> float:
    """Return the median of so many runs, seconds."""
    return sorted(_durations(work, times))[times // 2]


def _durations(work: Callable[[], object], times: int) -> Iterator[float]:
    for _ in range(times):
        began = time.perf_counter()
        work()
        yield time.perf_counter() - began
