"""What workers did, as their tracer writes it and as it is read while they go on."""

import os
from pathlib import Path

import pytest

from benchmarks.chaos.journal import BEGUN
from benchmarks.chaos.journal import CLAIMED
from benchmarks.chaos.journal import ENDED
from benchmarks.chaos.journal import HELD
from benchmarks.chaos.journal import RECORDED
from benchmarks.chaos.journal import SEARCHED
from benchmarks.chaos.journal import Journal
from benchmarks.chaos.journal import JournalTracer


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def search(tracer: JournalTracer, *, trials: int) -> None:
    """Tell of an attempt as a worker does, and end it."""
    with tracer.span("attempt") as attempt:
        attempt.note({"bitfloor.job.id": "one", "bitfloor.job.attempt": 1})
        for number in range(trials):
            with tracer.span("trial") as trial:
                trial.note({"bitfloor.trial.number": number})
        with tracer.span("trial") as trial:
            trial.rename("end of search")
        attempt.note({"bitfloor.attempt.end": "finished"})


class TestJournal:
    def test_tells_what_a_worker_did_in_order(self, journal: Journal) -> None:
        search(JournalTracer(journal.path), trials=2)
        entries = journal.entries()
        trial = [BEGUN, RECORDED]
        assert [e.what for e in entries] == [CLAIMED, *trial, *trial, BEGUN, SEARCHED, ENDED]
        assert {(e.pid, e.job, e.attempt) for e in entries} == {(os.getpid(), "one", 1)}
        assert [e.number for e in entries if e.what == RECORDED] == [0, 1]
        assert entries[-1].end == "finished"
        assert [e.at for e in entries] == sorted(e.at for e in entries)

    def test_goes_on_after_what_was_read(self, journal: Journal) -> None:
        tracer = JournalTracer(journal.path)
        tracer.claimed("one", 1)
        assert len(journal.entries()) == 1
        tracer.claimed("two", 1)
        assert [entry.job for entry in journal.entries()] == ["one", "two"]

    def test_a_line_that_is_not_complete_is_read_once_it_is(self, journal: Journal) -> None:
        JournalTracer(journal.path).claimed("one", 1)
        line = journal.path.read_bytes()
        journal.path.write_bytes(line + line[:20])
        assert len(journal.entries()) == 1
        journal.path.write_bytes(line + line)
        assert len(journal.entries()) == 2

    def test_a_worker_holds_a_job_until_its_attempt_ends(self, journal: Journal) -> None:
        tracer = JournalTracer(journal.path)
        assert journal.holder(os.getpid()) is None
        tracer.claimed("one", 3)
        tracer.note(HELD, held=12)
        held = journal.holder(os.getpid())
        assert held is not None
        assert (held.job, held.attempt) == ("one", 3)
        tracer.note(ENDED)
        # what it says of its memory is nothing that it does
        tracer.note(HELD, held=0)
        assert journal.holder(os.getpid()) is None

    def test_counts_trials_that_were_begun_and_those_recorded_twice(self, journal: Journal) -> None:
        tracer = JournalTracer(journal.path)
        search(tracer, trials=3)
        assert (journal.begun(), journal.twice()) == (3, 0)
        search(tracer, trials=2)
        assert (journal.begun(), journal.twice()) == (5, 2)
