"""Workers that die of their jobs and are replaced, and what that takes from their other jobs."""

import time
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import Engine

from benchmarks.chaos import poisons
from benchmarks.chaos import work
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import until
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.journal import ENDED
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.journal import Entry
from benchmarks.chaos.restarted import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time in which the workers worked."""

    #: by the monotonic clock
    begin: float
    end: float
    #: recorded, of the jobs that do no harm
    trials: int = 0

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.begin


EVER = Spell(begin=0.0, end=float("inf"))


@dataclass
class Ward:
    """The workers, the jobs that they have, and who is due to replace whom."""

    engine: Engine
    crew: Crew
    load: Load
    #: how many there are, but for those that died and are not replaced yet
    workers: int
    #: seconds until a worker that died is replaced
    restart: float
    #: process ids of the dead whose replacement is not there yet, and when it is due
    due: dict[int, float] = field(default_factory=dict)
    #: process id -> that of who came in its place
    successors: dict[int, int] = field(default_factory=dict)

    def start(self) -> int:
        """Start a worker that has a share of the machine's memory, and no more."""
        return self.crew.start(limits={"RLIMIT_AS": poisons.ADDRESSES})

    def fill(self) -> None:
        """Start those that are lacking."""
        while len(self.crew.pids) + len(self.due) < self.workers:
            self.start()

    def tend(self) -> None:
        """Replace the workers that died, as whatever runs them would."""
        now = time.monotonic()
        self.due |= {pid: now + self.restart for pid, _ in self.crew.tend()}
        for pid in [pid for pid, due in self.due.items() if due <= now]:
            self.successors[pid] = self.start()
            del self.due[pid]

    def spell(self, seconds: float) -> Spell:
        """Let them work so long, always with jobs enough that do no harm."""
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            self.load.feed()
            self.tend()
            time.sleep(0.1)
        recorded = sum(
            entry.what == RECORDED and entry.job in self.load.ids and begin <= entry.at < now
            for entry in self.crew.journal.entries()
        )
        return Spell(begin=begin, end=now, trials=recorded)

    def until_ended(self, ids: Collection[str]) -> None:
        """Let them work until these jobs have ended."""

        def ended() -> bool:
            self.tend()
            return work.final(self.engine, [*ids])

        until("the jobs have ended", ended, pause=0.1)

    def taken(self, ids: Collection[str], spell: Spell) -> float:
        """Return the worker-seconds of the spell that these jobs took.

        That is from each claim to the end of the attempt, or to the first claim of the worker that
        came in the place of the one that died.
        """
        entries = self.crew.journal.entries()
        claims = [entry for entry in entries if entry.what == CLAIMED and entry.job in ids]
        ends = [next(self._ends(claim, entries), time.monotonic()) for claim in claims]
        return sum(
            max(0.0, min(end, spell.end) - max(claim.at, spell.begin))
            for claim, end in zip(claims, ends, strict=True)
        )

    def _ends(self, claim: Entry, entries: list[Entry]) -> Iterator[float]:
        successor = self.successors.get(claim.pid)
        for entry in entries:
            own = entry.pid == claim.pid and entry.what == ENDED and entry.at > claim.at
            if own or (entry.pid == successor and entry.what == CLAIMED):
                yield entry.at
