"""What the REST API answers, as frozen typed values; fields a newer server adds are kept."""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import PrivateAttr

from service.store.values import JobState

#: the judgement on what holds the floor
CERTIFIED = "certified"


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


class Taken(Answer):
    """What a job took over from an earlier one."""

    #: of these, none was evaluated by this job
    trials: int
    #: options of points whose sensitivity was known
    sensitivities: int


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
    #: the earlier job of the same content whose search this one's is
    answered_by: str | None = None
    #: the earlier job that its search starts from
    from_job: str | None = None
    #: what it took over from there, once it has
    taken: Taken | None = None
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
    #: "held", "missed" or "dominated"; "undecided" of an earlier job's trial
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


class OnSplit(Answer):
    """What an allocation does on one split of the dataset."""

    #: evaluated
    images: int
    #: X, and X - δ
    float_accuracy: float
    floor: float
    accuracy: float
    #: against the float model
    drop: float


class Certification(OnSplit):
    """What it does on images that the search never saw; None where an older release was silent."""

    #: "certified"
    judgement: str | None = None
    #: how likely so good a result is at best if the drop were above the tolerance
    p_value: float | None = None
    #: what the drop is below, and how surely
    drop_upper_bound: float | None = None
    confidence: float | None = None
    #: the drop here less the drop on the search split
    gap: float | None = None


class Choice(Answer):
    """What was chosen for one quantization point."""

    name: str
    #: "activation" or "weight"
    kind: str = "activation"
    #: values, per image if it is an activation
    elements: int
    #: None: it stays in float32
    quantizer: str | None
    bit_width: int
    #: what a runtime needs: scale and zero point, or levels and thresholds
    parameters: Mapping[str, Any]


class Best(Answer):
    """The certified best allocation; fields that are not named here are kept, too."""

    model: str
    dataset: str
    #: δ
    tolerance: float
    #: the trial that found it
    trial: int
    memory_bytes: int | float
    float_memory_bytes: int | float
    #: share of what is minimized that is no longer needed, in [0, 1]
    saved: float
    #: per value; None where an older release was silent
    average_bits: float | None = None
    search: OnSplit | None = None
    certification: Certification
    #: in network order
    points: Sequence[Choice]

    _raw: bytes = PrivateAttr()
    _etag: str | None = PrivateAttr()

    @classmethod
    def of(cls, raw: bytes) -> "Best":
        """Return what a file holds that `raw` was written to; raises a ValidationError."""
        return cls.model_validate_json(raw, context={"raw": raw})

    def model_post_init(self, context: Any, /) -> None:
        """Keep what was read, which `of` and the client hand over beside it."""
        kept = context or {}
        self._raw, self._etag = kept.get("raw", b""), kept.get("etag")

    @property
    def raw(self) -> bytes:
        """The JSON document as its worker wrote it, byte for byte."""
        return self._raw

    @property
    def etag(self) -> str | None:
        """What tells this document from another: `best(job_id, etag=...)` asks for news only."""
        return self._etag

    @property
    def certified(self) -> bool:
        """It was certified to hold the floor."""
        return self.certification.judgement == CERTIFIED


class TrialPage(Answer):
    """Part of the listing of a job's trials."""

    items: Sequence[Trial]
    next: str | None = None


class Offers(Answer):
    """What the deployment offers of one kind, each with its "name"."""

    items: Sequence[Mapping[str, Any]]
