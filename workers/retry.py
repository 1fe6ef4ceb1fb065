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

FIRST_DELAY = 2.0  # seconds
LARGEST_DELAY = 300.0  # seconds

_MORE_ROOM = (
    "half the images at once were too many as well: lower BITFLOOR_BATCH of the workers, or give "
    "them more memory"
)

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


def decide(error: Exception, failures: int) -> RetryDecision:
    """Return what follows from the error after `failures` earlier ones.

    What bitfloor raises on purpose is about the request and stays wrong; anything else may be the
    machine's fault and is tried again, each time after twice the wait.
    """
    if isinstance(error, SearchError | WorkerError):
        return RetryDecision(JobError(code=code(error), message=str(error)), None)
    why = f"{type(error).__name__}: {_first_line(error)}"
    told = JobError(code="worker-error", message=why)
    if is_shortage(error):
        told = JobError(code="out-of-memory", message=f"{why}; {_MORE_ROOM}")
    return RetryDecision(told, min(FIRST_DELAY * 2**failures, LARGEST_DELAY))


def code(error: SearchError | WorkerError) -> str:
    """Return the stable name of the kind of error."""
    if isinstance(error, WorkerError):
        return error.code
    return next(name for kind, name in _CODES if isinstance(error, kind))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no further details"
