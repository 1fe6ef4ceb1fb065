"""What a queue of jobs should be, in a few dozen lines."""

from dataclasses import dataclass
from dataclasses import field

from service.store import leases
from service.store.values import JobState
from service.store.values import Lease

QUEUED, RUNNING, SUCCEEDED = JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED
FAILED, CANCELLED = JobState.FAILED, JobState.CANCELLED


@dataclass
class Known:
    """What the model knows of one job."""

    priority: int
    age: int
    state: JobState = QUEUED
    attempt: int = 0
    failures: int = 0
    trials: int = 0
    cancel: bool = False
    #: a claim may take it: queued and its delay is over, or running and its lease has lapsed
    due: bool = True

    def end(self, state: JobState) -> None:
        self.state, self.due = state, False

    def requeue(self, *, due: bool = True) -> None:
        """Return to the queue, unless it is to be cancelled."""
        self.state, self.due = QUEUED, due
        if self.cancel:
            self.end(CANCELLED)

    def retry(self, *, due: bool) -> None:
        self.failures += 1
        self.requeue(due=due)
        if self.failures >= leases.MAX_FAILURES and not self.cancel:
            self.end(FAILED)

    def record(self) -> bool:
        self.failures, self.trials = 0, self.trials + 1
        return self.cancel

    def request_cancel(self) -> None:
        self.cancel = True
        if self.state is QUEUED or self.due:
            self.end(CANCELLED)

    def lapse(self) -> bool:
        """End if it is beyond saving, and say whether it was."""
        if self.cancel:
            self.end(CANCELLED)
        elif self.failures + 1 >= leases.MAX_FAILURES:
            self.failures += 1
            self.end(FAILED)
        return self.state.final

    def told(self) -> tuple[object, ...]:
        counts = (self.attempt, self.failures, self.trials)
        return (self.priority, self.state, *counts, self.cancel)


@dataclass
class Model:
    """The queue as it should be."""

    jobs: dict[str, Known] = field(default_factory=dict)

    def end_lapsed(self) -> int:
        return sum([job.lapse() for job in self.jobs.values() if job.state is RUNNING and job.due])

    def claim(self) -> str | None:
        """Take the next job, after ending those beyond saving."""
        self.end_lapsed()
        due = [(-job.priority, job.age, job_id) for job_id, job in self.jobs.items() if job.due]
        if not due:
            return None
        _, _, job_id = min(due)
        job = self.jobs[job_id]
        job.failures += job.state is RUNNING
        job.attempt += 1
        job.state, job.due = RUNNING, False
        return job_id

    def holds(self, lease: Lease) -> bool:
        job = self.jobs[lease.job_id]
        return job.state is RUNNING and job.attempt == lease.attempt and not job.due
