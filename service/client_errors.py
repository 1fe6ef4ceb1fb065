"""Every error the client raises on purpose, as a tree: facts go in, a sentence comes out.

ClientError
├── Unreachable        nobody answers at this address
├── NotBitfloor        somebody answers there, but not this API
├── Problem            the server refuses, and says why
├── WaitTimeout        a job that is waited for goes on for longer
└── JobEnded           a job that was waited for ended without an allocation
    ├── JobFailed
    ├── JobInfeasible
    └── JobCancelled
"""

from collections.abc import Mapping
from typing import Any

from service.answers import Job
from service.store.values import JobState


class ClientError(Exception):
    """The base of everything the client raises on purpose."""


class Unreachable(ClientError):
    """Nobody answers at this address."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(
            f"no server answers at {server} ({why}); start one with 'bitfloor up', or say where "
            "yours is with --server or BITFLOOR_SERVER"
        )


class NotBitfloor(ClientError):
    """Somebody answers at this address, but not this API."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} answered {status}, and not as bitfloor does; check --server or BITFLOOR_SERVER"
        )


class Problem(ClientError):
    """The server refuses; the facts are those of its problem document (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        #: stable and kebab-case, such as "no-best-yet"
        self.code = str(document.get("type", "")).rpartition(":")[2]
        self.document = document
        fields = [_field(error) for error in document.get("errors", ())]
        sentence = str(document.get("detail") or document.get("title") or f"status {status}")
        super().__init__("; ".join(fields) or sentence)


class WaitTimeout(ClientError):
    """The job goes on after all the time that it was waited for."""

    def __init__(self, job_id: str, timeout: float) -> None:
        super().__init__(
            f"job {job_id} has not ended within {timeout:g} s and goes on; wait for it again, or "
            "cancel it"
        )
        self.job_id = job_id
        #: seconds
        self.timeout = timeout


class JobEnded(ClientError):
    """The job ended without an allocation; `job` is its last state."""

    def __init__(self, job: Job, why: str) -> None:
        super().__init__(f"job {job.id} {why}")
        self.job = job


class JobFailed(JobEnded):
    """The search could not be carried out; `code` is stable and kebab-case."""

    def __init__(self, job: Job) -> None:
        self.code = job.error.code if job.error else ""
        super().__init__(
            job, f"failed: {job.error.message if job.error else 'no cause was recorded'}"
        )


class JobInfeasible(JobEnded):
    """No allocation held the floor, or none could be certified to."""

    def __init__(self, job: Job) -> None:
        reason = (job.infeasible or {}).get("reason") or "nothing held the floor"
        super().__init__(job, f"is infeasible: {reason}")


class JobCancelled(JobEnded):
    """Somebody cancelled the job."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, f"was cancelled after {job.progress.trials} trials")


_BY_STATE: Mapping[JobState, type[JobFailed] | type[JobInfeasible] | type[JobCancelled]] = {
    JobState.FAILED: JobFailed,
    JobState.INFEASIBLE: JobInfeasible,
    JobState.CANCELLED: JobCancelled,
}


def require_success(job: Job) -> None:
    """Raise JobFailed, JobInfeasible or JobCancelled if the job has ended so."""
    if job.state in _BY_STATE:
        raise _BY_STATE[job.state](job)


def _field(error: Mapping[str, Any]) -> str:
    field, message = str(error.get("field")), str(error.get("message"))
    return message if message.startswith(field) else f"{field}: {message}"
