"""The jobs that faults happen to, and what they come to when nothing happens to them."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from benchmarks.chaos.crew import Crew
from benchmarks.chaos.crew import until
from benchmarks.chaos.figures import Check
from benchmarks.chaos.journal import Journal
from search.spec import JobSpec
from search.trial import TrialResult
from service.store import jobs
from service.store import trials
from service.store.values import JobState
from service.store.values import Submission


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job came to: all that a fault must not change."""

    state: JobState
    history: tuple[TrialResult, ...]
    result: Mapping[str, Any] | None


def submit(engine: Engine, asked: JobSpec, **said: Any) -> str:
    """Queue the request, to be searched whatever was found before, and return the job's id."""
    return jobs.enqueue(engine, Submission(spec=asked, fresh=True, **said))[0].id


def outcome(engine: Engine, job_id: str) -> Outcome:
    """Return what became of the job."""
    job = jobs.get(engine, job_id)
    return Outcome(job.state, trials.history(engine, job_id), job.result)


def final(engine: Engine, ids: Sequence[str]) -> bool:
    """Tell whether all of the jobs have ended."""
    return all(jobs.outline(engine, job_id).state.final for job_id in ids)


def undisturbed(engine: Engine, crew: Crew, specs: Sequence[JobSpec]) -> list[Outcome]:
    """Return what the requests come to when nothing happens, carried out by two workers."""
    pids = [crew.start(), crew.start()]
    ids = [submit(engine, asked) for asked in specs]
    until("the undisturbed jobs have ended", lambda: final(engine, ids))
    for pid in pids:
        crew.kill(pid)
    return [outcome(engine, job_id) for job_id in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """How many of the jobs differ from what they come to undisturbed."""

    jobs: int
    trials: int
    results: int


def damage(engine: Engine, ids: Mapping[str, Outcome]) -> Damage:
    """Compare each job with what it should have come to."""
    lost_jobs = lost_trials = lost_results = 0
    for job_id, wanted in ids.items():
        found = outcome(engine, job_id)
        lost_jobs += found.state is not wanted.state
        numbers = [trial.number for trial in found.history]
        expected = set(wanted.history)
        lost_trials += len(expected.symmetric_difference(found.history))
        lost_trials += len(numbers) - len(set(numbers))
        lost_results += found.result != wanted.result
    return Damage(jobs=lost_jobs, trials=lost_trials, results=lost_results)


def checks(damage: Damage, journal: Journal) -> tuple[Check, ...]:
    """Return what must never happen to any job."""
    return (
        Check(what="jobs lost", seen=damage.jobs, at_most=0),
        Check(what="trials lost or altered", seen=damage.trials, at_most=0),
        Check(what="trials recorded twice", seen=journal.twice(), at_most=0),
        Check(what="results altered", seen=damage.results, at_most=0),
    )
