"""Every error the API itself can raise, as a tree: facts go in, a sentence comes out.

ApiError
├── NoWorkerYet          nobody has said what can be searched
├── UnknownName          a field names something that no worker announced
├── NoBestYet            the search has not found or certified anything
├── NothingFeasible      the search ended without an allocation above the floor
├── UnknownRoute         no such address
└── DashboardIsReadOnly  the dashboard shows, and changes nothing
"""

from collections.abc import Sequence

from search.nearest import FEW
from search.nearest import nearest
from search.nearest import told
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
