"""What the store hands out and takes in: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum
from typing import Any
from typing import Generic
from typing import TypeVar

from search import cost
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.baseline import Baseline
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from service.store.access import DEFAULT_TENANT
from service.store.webhooks import Webhook

#: What JSON can hold; documents are stored and served as they were written.
Document = Mapping[str, Any]

Item = TypeVar("Item")


class JobState(StrEnum):
    """Where a job stands; the comment says where it can go."""

    QUEUED = "queued"  # -> running (claimed) | cancelled | failed (its worker died once too often)
    RUNNING = "running"  # -> succeeded | infeasible | failed | cancelled | queued (retry, release)
    SUCCEEDED = "succeeded"  # final: a certified best exists
    INFEASIBLE = "infeasible"  # final: nothing held the floor; the closest allocation is told
    FAILED = "failed"  # final: the cause is told
    CANCELLED = "cancelled"  # final: on request

    @property
    def final(self) -> bool:
        """No transition leaves this state."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a job, until it lapses or a later attempt claims the job."""

    job_id: str
    #: fences every write: the claim that this lease came from
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Everything a client says when it submits."""

    spec: JobSpec
    labels: Mapping[str, str] = field(default_factory=dict)
    #: higher is claimed sooner; equals by age
    priority: int = 0
    #: the same key of the same tenant with the same submission gives the same job
    idempotency_key: str | None = None
    #: search, whatever an earlier job found on the same content
    fresh: bool = False
    #: the earlier job of the same tenant whose trials and sensitivity are taken over; None: none
    from_job: str | None = None
    #: whose job it is
    tenant: str = DEFAULT_TENANT
    #: whom to tell of it; None: nobody
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a listing holds; None: any."""

    tenant: str | None = None
    state: JobState | None = None
    #: key and value
    label: tuple[str, str] | None = None


#: every job there is
EVERY_JOB = JobFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a job failed, or why its last attempt did."""

    #: stable and kebab-case, such as "unknown-model" or "worker-lost"
    code: str
    #: one sentence for people, with the remedy where there is one
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker found out before the first trial; everything a reader needs to scale trials."""

    #: the float model on the search split
    baseline: Baseline
    points: tuple[QuantizationPoint, ...]
    #: per point {"low", "high", "counts"}: the histogram of its values, coarse enough to plot
    histograms: Document
    #: what is minimized, of the float network; None: the memory of all points
    float_cost: int | None = None

    @property
    def float_bits(self) -> int:
        """What a trial's memory is set against."""
        if self.float_cost is None:
            return cost.float_memory_bits(self.points)
        return self.float_cost

    def saved(self, bits: int) -> float:
        """Return the share of the float network's memory that is no longer needed."""
        return 1 - bits / self.float_bits

    def accuracy(self, hits: Hits) -> float:
        """Return the accuracy on the search split; after part of its images, an estimate of it.

        The float model's less the drop on the images seen: that does not depend on whether those
        happen to be easy. On all images it is the accuracy.
        """
        if hits.images == self.baseline.images:
            return hits.accuracy
        return self.baseline.accuracy - hits.drop

    def average_bits(self, allocation: BitAllocation) -> float:
        """Return bits per value over all points."""
        return cost.average_bits(self.points, cost.memory_bits(self.points, allocation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is, over its recorded trials."""

    #: its own, not those it took over
    trials: int
    #: calibration, baseline, trials and certification together, counted by the worker
    images_evaluated: int
    #: the feasible trial with the fewest bits so far
    best: TrialResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How much a job took over from an earlier one."""

    #: its first ones, judged anew
    trials: int
    #: options of points that were not measured again
    sensitivities: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stood when it was read. Times are seconds since the epoch, database clock."""

    id: str
    state: JobState
    #: what the worker is doing, in a word or two: "calibrating", "searching", "certifying"
    stage: str
    submission: Submission
    #: higher is claimed sooner; what was submitted, unless it was changed since
    priority: int
    #: claims so far
    attempt: int
    #: attempts that ended badly since the last recorded trial
    failures: int
    cancel_requested: bool
    created_at: float
    started_at: float | None
    finished_at: float | None
    #: the final cause if failed, else the last attempt's
    error: JobError | None
    setup: Setup | None
    progress: Progress
    #: the best document if succeeded, which listings leave out; the closest allocation and whom to
    #: blame if infeasible
    result: Document | None
    #: the earlier job of the same content whose search this one's is
    answered_by: str | None = None
    #: None before anything was taken over, and where nothing is
    taken: Taken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """A trial with what the store knows about it."""

    result: TrialResult
    #: wall time of the evaluation
    seconds: float
    #: seconds since the epoch, database clock
    finished_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Part of a listing."""

    items: tuple[Item, ...]
    #: pass it to get the following page; None at the end
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something a worker can load: a model, a dataset or a quantizer."""

    kind: str
    name: str
    #: what people want to know before choosing it
    details: Document
