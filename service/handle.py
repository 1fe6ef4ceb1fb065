"""A job as it was read from a server, with all that can be asked and done about it there."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from pydantic import PrivateAttr

from service.answers import Answer
from service.answers import Best
from service.answers import Front
from service.answers import Job
from service.answers import Trial
from service.client_errors import require_success


class Server(Protocol):
    """What a handle asks; `service.client.BitfloorClient` is one."""

    def job(self, job_id: str) -> "JobHandle":
        """Return the job as it stands."""
        ...

    def follow(self, job_id: str, *, timeout: float | None = None) -> Iterator["JobHandle"]:
        """Yield the job until and including its final state."""
        ...

    def cancel(self, job_id: str) -> "JobHandle":
        """Ask for the job to end."""
        ...

    def change_priority(self, job_id: str, priority: int) -> "JobHandle":
        """Put the job before or behind others."""
        ...

    def best(self, job_id: str) -> Best:
        """Return the certified best allocation."""
        ...

    def front(self, job_id: str) -> Front:
        """Return the Pareto front so far."""
        ...

    def trials(self, job_id: str) -> Iterator[Trial]:
        """Yield the trials in order."""
        ...

    def report(self, job_id: str) -> str:
        """Return the report page."""
        ...


class JobHandle(Job):
    """A job as it stood when it was read; it never changes, `refresh` and `wait` return another.

    Only a client makes one: its methods ask the server that the job was read from.
    """

    _server: Server = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep the server that the client names beside the answer."""
        self._server = context["server"]

    def refresh(self) -> "JobHandle":
        """Return the job as it stands now."""
        return self._server.job(self.id)

    def wait(
        self,
        *,
        timeout: float | None = None,
        on_progress: Callable[["JobHandle"], None] | None = None,
    ) -> "JobHandle":
        """Return the job once it has succeeded.

        `on_progress` is called with the job as it is first seen and whenever it has changed.
        Raises JobFailed, JobInfeasible or JobCancelled if it ends so, and WaitTimeout if it has not
        ended after `timeout` seconds (None: never).
        """
        seen: JobHandle = self
        told = None
        for seen in self._server.follow(self.id, timeout=timeout):
            if on_progress and seen != told:
                on_progress(seen)
                told = seen
        require_success(seen)
        return seen

    def cancel(self) -> "JobHandle":
        """Ask for the job to end, and return it; a running one does within seconds."""
        return self._server.cancel(self.id)

    def change_priority(self, priority: int) -> "JobHandle":
        """Put the job before or behind others, and return it; higher is run sooner."""
        return self._server.change_priority(self.id, priority)

    def best(self) -> Best:
        """Return the certified best allocation; raises Problem while there is none."""
        return self._server.best(self.id)

    def front(self) -> Front:
        """Return the Pareto front so far."""
        return self._server.front(self.id)

    def trials(self) -> Iterator[Trial]:
        """Yield the trials in order, fetching pages as they are asked for."""
        return self._server.trials(self.id)

    def report(self) -> str:
        """Return the report, one self-contained HTML page."""
        return self._server.report(self.id)


class JobPage(Answer):
    """Part of the listing of jobs."""

    items: Sequence[JobHandle]
    #: pass it to get the following page; None at the end
    next: str | None = None
