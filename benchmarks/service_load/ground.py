"""What the database is filled with: which jobs there are, whose, in what state, and when."""

import uuid
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any

from service.store.values import JobState

#: whose token is shown, and who has half of the jobs but one in a hundred
TENANT = "vision"
#: who has one job in a hundred: what it lists lies far apart
SMALL_TENANT = "small"

#: every job's, so that it says nothing
COMMON_LABEL = ("stage", "nightly")
TEAMS = 20
START = 1_700_000_000.0  # seconds since the epoch, when the first job was submitted
SPACING = 10.0  # seconds from one job to the next
STRIDE = 10  # jobs; the first of each has many trials

#: states of the jobs of a stride
STATES = (
    *[JobState.SUCCEEDED] * 6,
    JobState.INFEASIBLE,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.QUEUED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much there is of everything."""

    #: one in ten of them is searched with many trials
    jobs: int = 100_000
    trials: int = 200
    points: int = 8
    #: of the one long job
    long_trials: int = 5_000
    long_points: int = 50

    @property
    def long(self) -> int:
        """The index of the long job, the newest of all."""
        return self.jobs

    def told(self) -> dict[str, Any]:
        """Return the sizes as a document."""
        return asdict(self)


def job_id(index: int) -> str:
    """Return the id of the job, a UUID of version 7 like those the store makes."""
    stamp = int(created_at(index) * 1000)
    return str(uuid.UUID(int=(stamp << 80) | (7 << 76) | (2 << 62) | index))


def created_at(index: int) -> float:
    """Return when the job was submitted, seconds since the epoch."""
    return START + SPACING * index


def state(index: int) -> JobState:
    """Return where the job stands."""
    return STATES[index % STRIDE]


def searched(index: int) -> bool:
    """Tell whether the job has many trials."""
    return index % STRIDE == 0


def tenant(index: int) -> str:
    """Return whose job it is."""
    turn = index // STRIDE % 100
    if turn == 99:
        return SMALL_TENANT
    return TENANT if turn % 2 else "default"


def labels(index: int) -> dict[str, str]:
    """Return the job's labels."""
    return dict([COMMON_LABEL, ("team", f"team-{index % TEAMS}")])
