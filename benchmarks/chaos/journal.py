"""What workers did and when, line by line in a file that outlives them: a tracer writes it."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict
from dataclasses import dataclass
from math import inf
from pathlib import Path

from service.tracing import Attribute

CLAIMED, BEGUN, RECORDED, SEARCHED, ENDED = "claimed", "begun", "recorded", "searched", "ended"
HELD, READY = "held", "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that a worker did."""

    #: seconds of the machine's monotonic clock, the same for all its processes
    at: float
    pid: int
    #: CLAIMED a job, BEGUN a trial, RECORDED it, SEARCHED to the end, ENDED the attempt;
    #: asked for, HELD memory; READY to claim
    what: str
    job: str = ""
    attempt: int = 0
    #: the trial's
    number: int | None = None
    #: how the attempt ended
    end: str = ""
    #: bytes of the device's memory
    held: int | None = None


class Journal:
    """The file, to be read by whoever made the faults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._read: list[Entry] = []
        self._offset = 0

    def entries(self) -> list[Entry]:
        """Return every line that is complete."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        if whole:
            self._offset += len(whole) + 1
            self._read += [Entry(**json.loads(line)) for line in whole.splitlines()]
        return self._read

    def ready(self, pid: int) -> float:
        """Return when the process could claim for the first time; infinity before it can."""
        entries = (e.at for e in self.entries() if (e.pid, e.what) == (pid, READY))
        return next(entries, inf)

    def last(self, pid: int) -> Entry | None:
        """Return what the process did last."""
        entries = (e for e in reversed(self.entries()) if e.what not in (HELD, READY))
        return next((entry for entry in entries if entry.pid == pid), None)

    def holder(self, pid: int) -> Entry | None:
        """Return what the process did last if it holds a job, None if it holds none."""
        last = self.last(pid)
        return None if last is None or last.what == ENDED else last

    def twice(self) -> int:
        """Return how many records of trials were not the first of their trial."""
        counts = Counter((e.job, e.number) for e in self.entries() if e.what == RECORDED)
        return sum(counts.values()) - len(counts)

    def begun(self) -> int:
        """Return how many trials were begun, those that found the search at its end apart."""
        counts = Counter(entry.what for entry in self.entries())
        return counts[BEGUN] - counts[SEARCHED]


class JournalTracer:
    """A `service.tracing.Tracer` for one worker: its spans become lines, each one write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._job, self._attempt = "", 0

    @contextmanager
    def span(
        self,
        name: str,
        *,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
    ) -> Iterator["JournalSpan"]:
        """Note that a trial begins; what else is notable the span is told."""
        if name == "trial":
            self.note(BEGUN)
        yield JournalSpan(self)

    def claimed(self, job: str, attempt: int) -> None:
        """Note a claim; what is noted later is of that attempt."""
        self._job, self._attempt = job, attempt
        self.note(CLAIMED)

    def note(
        self, what: str, *, number: int | None = None, end: str = "", held: int | None = None
    ) -> None:
        """Append a line."""
        entry = Entry(
            at=time.monotonic(),
            pid=os.getpid(),
            what=what,
            job=self._job,
            attempt=self._attempt,
            number=number,
            end=end,
            held=held,
        )
        os.write(self._file, json.dumps(asdict(entry)).encode() + b"\n")


class JournalSpan:
    """A `service.tracing.Span` that notes what a worker says of claims, trials and attempts."""

    trace_id = None

    def __init__(self, tracer: JournalTracer) -> None:
        self._tracer = tracer

    def rename(self, name: str) -> None:
        """Take back that a trial began, where the search was at its end."""
        if name == "end of search":
            self._tracer.note(SEARCHED)

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Note a claim, a recorded trial, or an end."""
        if "bitfloor.job.id" in attributes:
            job, attempt = attributes["bitfloor.job.id"], attributes["bitfloor.job.attempt"]
            self._tracer.claimed(str(job), int(attempt))
        elif "bitfloor.trial.number" in attributes:
            self._tracer.note(RECORDED, number=int(attributes["bitfloor.trial.number"]))
        elif "bitfloor.attempt.end" in attributes:
            self._tracer.note(ENDED, end=str(attributes["bitfloor.attempt.end"]))

    def fail(self, why: str) -> None:
        """Do nothing: the end has been noted."""
