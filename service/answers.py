"""What the REST API answers, as frozen typed values; fields a newer server adds are kept."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict

from service.store.values import JobState


class Answer(BaseModel):
    """The base of every answer."""

    model_config = ConfigDict(frozen=True, extra="allow")


class BestSoFar(Answer):
    """The feasible trial with the fewest bits so far."""

    trial: int
    #: share of the float32 memory, in [0, 1]
    saved: float
    average_bits: float
    accuracy: float
    #: per image
    memory_bytes: int | float


class Progress(Answer):
    """How far a job is."""

    trials: int
    #: trials asked for
    budget: int
    images_evaluated: int
    #: X, None before it is measured
    float_accuracy: float | None = None
    #: X - δ
    floor: float | None = None
    best: BestSoFar | None = None


class Fault(Answer):
    """Why a job failed."""

    code: str
    message: str


class Job(Answer):
    """A job as the server sees it."""

    id: str
    state: JobState
    #: what the worker is doing, in a word or two
    stage: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    #: whose it is; earlier servers know one only
    tenant: str = "default"
    priority: int
    #: {"url", "events"} of whom it tells; None: nobody
    webhook: Mapping[str, Any] | None = None
    attempt: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: Progress
    error: Fault | None = None
    #: the closest allocation and whom to blame, where nothing held the floor
    infeasible: Mapping[str, Any] | None = None
    links: Mapping[str, str]


class Trial(Answer):
    """One trial of a job."""

    number: int
    #: who proposed it
    origin: str
    #: "held", "missed" or "dominated"
    verdict: str
    feasible: bool
    #: every image of the search split was evaluated; else the trial was decided on fewer
    complete: bool
    #: per image
    memory_bytes: int | float
    saved: float
    average_bits: float
    images: int
    correct: int
    accuracy: float
    #: against the float model, on the same images
    drop: float
    #: point name -> {"quantizer", "bit_width"}
    allocation: Mapping[str, Mapping[str, Any]]


class Front(Answer):
    """A job's Pareto front, fewest bits first."""

    float_accuracy: float | None = None
    floor: float | None = None
    #: in the search split
    images: int | None = None
    #: what is minimized
    objective: str
    #: "floor" or "front"; earlier servers know the floor only
    goal: str = "floor"
    #: share of the box of memory and accuracy that the front dominates
    hypervolume: float | None = None
    #: {"name", "elements", "kind"} in network order
    points: Sequence[Mapping[str, Any]]
    front: Sequence[Trial]


class JobPage(Answer):
    """Part of the listing of jobs."""

    items: Sequence[Job]
    #: pass it to get the following page; None at the end
    next: str | None = None


class TrialPage(Answer):
    """Part of the listing of a job's trials."""

    items: Sequence[Trial]
    next: str | None = None


class Delivery(Answer):
    """One event of a job, and how far its webhook is."""

    #: the header webhook-id of every try
    id: str
    event: str
    #: "pending", "delivered" or "given-up"
    state: str
    happened_at: datetime
    tries: int
    last_try_at: datetime | None = None
    next_try_at: datetime | None = None
    delivered_at: datetime | None = None
    #: what the receiver answered last
    status: int | None = None
    #: why the last try failed
    error: str | None = None


class Deliveries(Answer):
    """All deliveries of a job, in the order of its events."""

    items: Sequence[Delivery]


class Offers(Answer):
    """What the deployment offers of one kind, each with its "name"."""

    items: Sequence[Mapping[str, Any]]
