"""Every error the API itself can raise, as a tree: facts go in, a sentence comes out.

ApiError
├── NoWorkerYet          nobody has said what can be searched
├── UnknownName          a field names something that no worker announced
├── CannotStartFrom      from_job names a job that nothing can be taken over from
├── NoBestYet            the search has not found or certified anything
├── NothingFeasible      the search ended without an allocation above the floor
├── UnknownRoute         no such address
├── DashboardIsReadOnly  the dashboard shows, and changes nothing
├── Unauthenticated      no token, or none that is known
├── ScopeMissing         the token does not allow this
├── TooManyRequests      more than a minute may hold
├── WrongHost            the request is for another host
├── CrossOrigin          a page of another origin wants to change something
└── NoAnswerInTime       whatever was waited for did not come
"""

from collections.abc import Sequence

from search.nearest import FEW
from search.nearest import nearest
from search.nearest import told
from service.store.access import Scope
from service.store.values import Document
from service.store.values import JobState


class ApiError(Exception):
    """The base of everything `service.api` raises on purpose."""


class NoWorkerYet(ApiError):
    """No worker has announced models, so nothing could be checked or run."""

    def __init__(self) -> None:
        super().__init__(
            "no worker has announced itself yet; start one with `bitfloor worker`, or wait a "
            "few seconds if one is starting"
        )


class UnknownName(ApiError):
    """A field names something that no worker offers."""

    def __init__(self, field: str, name: str, *, known: Sequence[str]) -> None:
        last = field.rpartition(".")[2]  # of points.PATTERN.quantizers, say
        resource = last if last.endswith("s") else f"{last}s"
        all_of_them = f"; GET /v1/{resource} lists all" if len(known) > FEW else ""
        super().__init__(f"no worker offers {name!r}; offered are {told(name, known)}{all_of_them}")
        self.field = field
        #: all of a few, the closest of many
        self.known = nearest(name, known)


class CannotStartFrom(ApiError):
    """A search cannot start from the job that `from_job` names."""

    field = "from_job"

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"no search can start from job {job_id}: {why}")


class NoBestYet(ApiError):
    """There is no certified best allocation; `state` tells whether there can still be one."""

    def __init__(self, job_id: str, state: JobState) -> None:
        hope = "ended without one" if state.final else "has none yet; it is certified at the end"
        super().__init__(f"job {job_id} is {state.value} and {hope}")
        self.state = state


class NothingFeasible(ApiError):
    """No allocation held the floor; `result` tells the closest one and whom to blame."""

    def __init__(self, job_id: str, result: Document) -> None:
        reason = result.get("reason", "no allocation held the accuracy floor")
        super().__init__(f"job {job_id} is infeasible: {reason}")
        self.result = result


class UnknownRoute(ApiError):
    """Nothing answers at this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing answers at {path[:200]}; the routes are listed at /docs")


class DashboardIsReadOnly(ApiError):
    """A method that could change something was sent to the dashboard."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            f"{method[:20]} {path[:200]} was refused: the dashboard is read-only; jobs are "
            "submitted and cancelled through /v1/jobs"
        )


class Unauthenticated(ApiError):
    """Nobody that is known asks; `shown` tells whether there was a token at all."""

    def __init__(self, *, shown: bool) -> None:
        wrong = "this token is unknown, revoked or expired" if shown else "a token is needed"
        super().__init__(
            f"{wrong}; send `Authorization: Bearer TOKEN`, with one from `bitfloor token create`"
        )


class ScopeMissing(ApiError):
    """The token is good, but not for this."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"this token lacks the scope {scope.value!r}; use one that has it")
        self.scope = scope


class TooManyRequests(ApiError):
    """The minute is full; after `wait` seconds there is room again."""

    def __init__(self, limit: int, *, wait: int) -> None:
        super().__init__(f"more than {limit:,} a minute; wait {wait} s and go on more slowly")
        self.wait = wait


class WrongHost(ApiError):
    """The `Host` header names none of the hosts that this service answers for."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this service does not answer for the host {host[:200]!r}; its operator names hosts "
            "with BITFLOOR_ALLOWED_HOSTS"
        )


class CrossOrigin(ApiError):
    """A browser says that a page from elsewhere wants to change something."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:200]!r} may change nothing here; the operator allows origins with "
            "BITFLOOR_CORS_ORIGINS"
        )


class NoAnswerInTime(ApiError):
    """The request was given up; whether it had an effect is not known."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s; ask again, with an idempotency key")
