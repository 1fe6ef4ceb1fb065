"""What the routes of one application share between requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from anyio import CapacityLimiter
from starlette.requests import HTTPConnection

from service.api.kept import Kept

FOLLOWER_THREADS = 4
#: a rendering holds all trials of its job, and only one at a time gets on
RENDERING_THREADS = 1

_OWNED = 10_000  # jobs
_ROOM = 4 * 2**20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The best document of a job as it is sent."""

    body: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Turns to wait for, and what is kept of jobs that have ended or of what never changes."""

    followers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(FOLLOWER_THREADS))
    renderers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(RENDERING_THREADS))
    #: (tenant, job): that the job is the tenant's
    owned: Kept[tuple[str, str], bool] = field(default_factory=lambda: Kept(_OWNED))
    #: of jobs that succeeded
    bests: Kept[str, Answer] = field(default_factory=lambda: Kept(_ROOM))
    #: the page around the script that all reports share, of jobs that have ended
    reports: Kept[str, Sequence[bytes]] = field(default_factory=lambda: Kept(_ROOM))


def of(request: HTTPConnection) -> Shared:
    """Return what the application of this request shares."""
    shared: Shared = request.app.state.shared
    return shared
