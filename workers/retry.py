"""What to do after an attempt failed: a decision from the error, and nothing else."""

from dataclasses import dataclass

from search.errors import InvalidSpec
from search.errors import NonFiniteActivations
from search.errors import SearchError
from search.errors import UnknownQuantizer
from search.errors import UnknownSampler
from search.errors import UnsupportedNetwork
from search.quantization.shortage import is_shortage
from service.store.values import JobError
from workers.errors import WorkerError
from workers.room import DiskFull
from workers.room import is_full

FIRST_DELAY = 2.0  # seconds
LARGEST_DELAY = 300.0  # seconds
#: seconds at most until a disk that was full is tried again: to find it full still costs little
LARGEST_DELAY_OF_ROOM = 60.0
_MOST_DOUBLINGS = 10

_MORE_ROOM = (
    "half the images at once were too many as well: lower BITFLOOR_BATCH of the workers, or give "
    "them more memory"
)

_ROOM = "free some room on the worker's disk; the job is tried again by itself"

#: the first kind that matches names the code
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (InvalidSpec, "invalid-spec"),
    (UnknownQuantizer, "unknown-quantizer"),
    (UnknownSampler, "unknown-sampler"),
    (UnsupportedNetwork, "unsupported-network"),
    (NonFiniteActivations, "non-finite-activations"),
    (SearchError, "search-error"),
)


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether the same job could do better next time."""

    error: JobError
    #: seconds to wait; None: it would fail the same way again
    delay: float | None
    #: it counts among the few attempts that a job has
    counted: bool = True


def decide(error: Exception, failures: int, *, attempt: int = 1) -> RetryDecision:
    """Return what follows from the error in that attempt, after `failures` earlier ones.

    What bitfloor raises on purpose is about the request and stays wrong; anything else may be the
    machine's fault and is tried again, each time after twice the wait. A full disk certainly is:
    no job fails for it, however long that lasts.
    """
    if isinstance(error, DiskFull) or is_full(error):
        message = str(error) if isinstance(error, DiskFull) else f"{_first_line(error)}; {_ROOM}"
        told = JobError(code=DiskFull.code, message=message)
        doublings = min(attempt - 1, _MOST_DOUBLINGS)
        delay = min(FIRST_DELAY * 2**doublings, LARGEST_DELAY_OF_ROOM)
        return RetryDecision(told, delay, counted=False)
    if isinstance(error, SearchError | WorkerError):
        return RetryDecision(JobError(code=code(error), message=str(error)), None)
    told = JobError(code="worker-error", message=_first_line(error))
    if is_shortage(error):
        told = JobError(code="out-of-memory", message=f"{_first_line(error)}; {_MORE_ROOM}")
    return RetryDecision(told, min(FIRST_DELAY * 2**failures, LARGEST_DELAY))


def code(error: SearchError | WorkerError) -> str:
    """Return the stable name of the kind of error."""
    if isinstance(error, WorkerError):
        return error.code
    return next(name for kind, name in _CODES if isinstance(error, kind))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ["no further details"]
    return f"{type(error).__name__}: {lines[0]}"
