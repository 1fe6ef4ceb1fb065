"""Every error the store can raise, as a tree: facts go in, a sentence comes out.

StoreError
├── UnsupportedDatabase        no SQLite file and no PostgreSQL
├── PasswordFileUnusable       the URL names a file that holds no password
├── DatabaseUnreachable        no answer, or none that can be used
├── DatabaseBusy               a lock or a connection was not free in time; trying again may help
├── DatabaseFull               no room is left where the database is kept; nothing was written
├── SchemaOutdated             the tables are not those of this version
├── JobNotFound
├── JobAlreadyFinal            nothing is left to cancel
├── IdempotencyConflict        one key, two different submissions
├── BadCursor                  not a cursor of this listing
├── TrialNotFound
├── TrialAlreadyRecorded
├── LeaseLost                  the job is no longer this worker's; nothing was written
├── TokenNotFound
├── DeliveryNotFound
├── DeliveryPending            it will be tried anyway
├── QuotaExceeded              the tenant has used up what it may; nothing was written
├── NotEmbedded                a file is asked for, and the database is a server's
├── BackupUnusable             the file is no backup that this version can restore
├── BackupFailed               the copy could not be written; what was there still is
└── DatabaseInUse              somebody has the file open; nothing was replaced
"""

from service.store.values import JobState
from service.store.values import Lease


class StoreError(Exception):
    """The base of everything `service.store` raises on purpose."""


class UnsupportedDatabase(StoreError):
    """The URL names a database that the statements were not written for."""

    def __init__(self, shown: str) -> None:
        super().__init__(
            f"cannot use {shown}; give sqlite:///path/to/file.db or postgresql://user@host/name"
        )


class PasswordFileUnusable(StoreError):
    """The file with the database's password cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"password_file in the database URL: cannot read {path}: {why}; mount the secret "
            "there, readable to this user"
        )


class DatabaseUnreachable(StoreError):
    """The database does not answer, or not usefully; `shown` is its URL without the password."""

    def __init__(self, shown: str, why: str) -> None:
        super().__init__(f"cannot reach the database at {shown}: {why}")
        self.shown = shown


class DatabaseBusy(StoreError):
    """Somebody else held a lock, or every connection, for longer than we wait."""

    def __init__(self, shown: str, why: str) -> None:
        super().__init__(f"the database at {shown} is busy, try again: {why}")


class DatabaseFull(StoreError):
    """The write was refused whole for want of room; what was stored before is as it was."""

    def __init__(self, shown: str, why: str) -> None:
        super().__init__(
            f"the disk of the database at {shown} is full: {why}; free some room on it, and "
            "everything goes on by itself"
        )


class SchemaOutdated(StoreError):
    """The database's tables are not those of this version of bitfloor."""

    def __init__(self, found: str | None, needed: str) -> None:
        super().__init__(
            f"the database schema is at {found or 'nothing'} and {needed} is needed; run "
            "`bitfloor migrate`, with the newest bitfloor that uses this database"
        )
        self.found = found
        self.needed = needed


class JobNotFound(StoreError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id!r}")
        self.job_id = job_id


class JobAlreadyFinal(StoreError):
    """The job has ended, so nothing about it changes any more."""

    def __init__(self, job_id: str, state: JobState) -> None:
        super().__init__(f"job {job_id} has already {_ENDED[state]}")
        self.job_id = job_id
        self.state = state


class IdempotencyConflict(StoreError):
    """The key came with another submission before; `job_id` is what that one became."""

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(
            f"idempotency key {key!r} was used for a different submission, now job {job_id}; "
            "use a new key for a new job"
        )
        self.job_id = job_id


class BadCursor(StoreError):
    """The text did not come from an earlier page of the same listing."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"{cursor[:80]!r} is not a cursor of this listing; start without one")


class TrialNotFound(StoreError):
    """The job has no trial of this number yet."""

    def __init__(self, job_id: str, number: int) -> None:
        super().__init__(f"job {job_id} has no trial {number}")
        self.job_id = job_id
        self.number = number


class TrialAlreadyRecorded(StoreError):
    """A trial is recorded once; the second record was refused and the first one kept."""

    def __init__(self, job_id: str, number: int) -> None:
        super().__init__(f"trial {number} of job {job_id} is already recorded")
        self.job_id = job_id
        self.number = number


class LeaseLost(StoreError):
    """The lease lapsed or a later attempt holds the job; the write changed nothing."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"attempt {lease.attempt} no longer holds job {lease.job_id}; its write was refused"
        )
        self.lease = lease


class TokenNotFound(StoreError):
    """No token has this id."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"there is no token {token_id!r}; `bitfloor token list` names all")
        self.token_id = token_id


class DeliveryNotFound(StoreError):
    """The job has told nothing under this id."""

    def __init__(self, job_id: str, delivery_id: str) -> None:
        super().__init__(
            f"job {job_id} has no delivery {delivery_id[:80]!r}; GET /v1/jobs/{job_id}/deliveries "
            "lists all"
        )


class DeliveryPending(StoreError):
    """The delivery is not over, so it is tried without being asked."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(
            f"delivery {delivery_id} is still to be tried; it can be sent again once it is "
            "delivered or given up"
        )


class QuotaExceeded(StoreError):
    """One job more, and the tenant would have more than its quota."""

    def __init__(self, quota: str, *, asked: int, limit: int) -> None:
        super().__init__(_BEYOND[quota].format(asked=asked, limit=limit))
        self.quota = quota
        self.limit = limit


class NotEmbedded(StoreError):
    """Backups are of the embedded database; a server has tools of its own."""

    def __init__(self, shown: str) -> None:
        super().__init__(
            f"{shown} is not a database in a file; back it up with pg_dump and restore it with "
            "pg_restore"
        )


class BackupUnusable(StoreError):
    """The file is missing, damaged, none of ours, or from a newer version."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"cannot restore {path}: {why}; give it what 'bitfloor backup' wrote")


class BackupFailed(StoreError):
    """The copy could not be written; `full`: for want of room."""

    def __init__(self, path: object, why: str, *, full: bool = False) -> None:
        remedy = "; choose another place, or free some room there" if full else ""
        super().__init__(f"cannot write {path}: {why}{remedy}; nothing that was there has changed")


class DatabaseInUse(StoreError):
    """Some process has the database open, and would go on with a file that is gone."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"{path} is in use; stop the 'bitfloor up', 'serve' or 'worker' that has it open, and "
            "try again"
        )


_BEYOND = {
    "queued_jobs": "your tenant may have {limit:,} jobs queued at a time; wait until one is taken, "
    "or cancel one",
    "trials": "with this job your tenant would ask for {asked:,} trials within 30 days and may "
    "have {limit:,}; lower the budget, or ask the operator for more",
    "images": "your tenant has evaluated all images it may within 30 days; ask the operator for "
    "more",
    "priority": "your tenant may ask for a priority of {limit} at most, not {asked}",
}

_ENDED = {
    JobState.SUCCEEDED: "succeeded",
    JobState.INFEASIBLE: "ended without a feasible allocation",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "been cancelled",
}
