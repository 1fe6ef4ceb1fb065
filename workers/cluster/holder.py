"""A shard in a process of its own, which Ray starts, and starts again where it was lost."""

import traceback
from dataclasses import dataclass
from typing import Any

from search.errors import SearchError
from search.quantization.shortage import is_shortage
from search.spec import JobSpec
from workers import devices
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers import retry
from workers.errors import WorkerError
from workers.settings import WorkerSettings
from workers.shards.errors import ShardFailed
from workers.shards.shard import Shard
from workers.workbench import choose_device


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in a form that can be told to another process."""

    message: str
    #: of an error that would come again; None: another attempt may do better
    code: str | None = None
    shortage: bool = False

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Return what is to be told of the error."""
        if isinstance(error, SearchError | WorkerError):
            return cls(str(error), code=retry.code(error))
        last = traceback.extract_tb(error.__traceback__)[-1:]
        at = "".join(f" ({frame.name} in {frame.filename}:{frame.lineno})" for frame in last)
        return cls(f"{type(error).__name__}: {error}{at}", shortage=is_shortage(error))

    def error(self) -> Exception:
        """Return what to raise in the process that asked."""
        if self.code is not None:
            return ShardFailed(self.code, self.message)
        return MemoryError(self.message) if self.shortage else RuntimeError(self.message)


class Holder:
    """Loads what the job names when it is first asked for something."""

    def __init__(self, job: JobSpec, settings: WorkerSettings) -> None:
        """`settings` say where this machine's models and datasets are."""
        self._job = job
        self._settings = settings
        self._shard: Shard | None = None

    def ready(self) -> bool:
        """Tell that the process is there, wherever it was placed."""
        return True

    def do(self, act: str, **said: Any) -> Any:
        """Return what the shard's method of this name does, or the Failure that it is."""
        try:
            return getattr(self._opened(), act)(**said)
        except Exception as error:  # noqa: BLE001  # some cannot be told across processes as they are
            return Failure.of(error)

    def _opened(self) -> Shard:
        if self._shard is None:
            device = choose_device(self._settings.device)
            self._shard = devices.shard(
                self._job, self._settings, device=device, check=lambda: None
            )
        return self._shard
