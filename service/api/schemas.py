"""What the API answers with, as OpenAPI describes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

from search.allocation import Kind
from search.trial import Verdict
from service.api import examples
from service.api import images
from service.api.rules import ToldRule
from service.api.webhooks import Webhook
from service.store.values import JobState


class Best(BaseModel):
    """The feasible trial with the fewest bits so far, before certification."""

    trial: int
    saved: float = Field(description="Share of the float32 memory that is no longer needed.")
    average_bits: float = Field(description="Bits per value, weighted by values per point.")
    accuracy: float = Field(
        description="On the search split; where fewer images decided, the float model's less the "
        "drop on those."
    )
    memory_bytes: float = Field(
        description="What is minimized, activations per image; of bit operations an eighth."
    )


class Progress(BaseModel):
    """How far a job is."""

    trials: int
    budget: int = Field(description="Trials asked for.")
    images_evaluated: int
    float_accuracy: float | None = Field(description="X, once it is measured.")
    floor: float | None = Field(description="X less the tolerance.")
    best: Best | None


class Taken(BaseModel):
    """What a job took over from an earlier one."""

    trials: int = Field(description="They are its first trials, and no part of its budget.")
    sensitivities: int = Field(description="Options of points that were not measured again.")


class Failure(BaseModel):
    """Why a job failed, or why its last attempt did."""

    code: str
    message: str


class Spec(BaseModel):
    """The search as it was asked for, defaults filled in."""

    model: str
    weights: str | None
    dataset: str
    tolerance: float
    quantizers: list[str]
    bit_widths: list[int]
    points: dict[str, ToldRule] = Field(description="By pattern, in order; later rules win.")
    target: str
    tie: str
    objective: str | None = Field(description="null: the memory of the target.")
    goal: str
    confidence: float
    sampler: str
    budget: int
    seed: int
    trial_timeout: float
    parallelism: int | str
    metric: str
    splits: images.Splits | None
    preprocessing: images.Preprocessing | None


class Links(BaseModel):
    """Where the rest of the job is."""

    self: str
    trials: str
    front: str
    best: str
    events: str
    report: str
    deliveries: str
    dashboard: str


class Job(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.JOB]})

    id: str
    state: JobState
    stage: str = Field(description="What the worker is doing, in a word or two.")
    spec: Spec
    labels: dict[str, str]
    tenant: str = Field(description="Whose job it is.")
    priority: int
    webhook: Webhook | None = Field(description="Whom it tells; null: nobody.")
    attempt: int = Field(description="How often a worker took the job.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress
    error: Failure | None
    answered_by: str | None = Field(
        description="The earlier job whose trials and best these are: the same request, network "
        "and images. null: this job searched itself."
    )
    from_job: str | None = Field(description="The earlier job that its search starts from.")
    taken: Taken | None = Field(
        description="What it took over from there; null before it has, and without `from_job`."
    )
    infeasible: dict[str, Any] | None = Field(
        description="The closest allocation and the points to blame, if nothing held the floor."
    )
    links: Links


class Option(BaseModel):
    """What one quantization point was given."""

    quantizer: str
    bit_width: int


class Trial(BaseModel):
    """One allocation and its verdict."""

    number: int
    origin: str = Field(description="Who proposed it.")
    verdict: Verdict = Field(
        description="held: the floor, and what the certificate asks beyond it; missed; dominated: "
        "stopped, since another trial has fewer bits and is more accurate; undecided: of the job "
        "that the search started from, on too few images for this floor."
    )
    feasible: bool = Field(description="The verdict is that it held.")
    complete: bool = Field(
        description="Evaluated on every image of the search split; false: decided on fewer."
    )
    memory_bytes: float = Field(
        description="What is minimized, activations per image; of bit operations an eighth."
    )
    saved: float
    average_bits: float
    images: int
    correct: int
    lost: int = Field(description="The float model has right, this one wrong.")
    gained: int = Field(description="The float model has wrong, this one right.")
    accuracy: float = Field(description="Over the images evaluated.")
    drop: float = Field(description="Against the float model, on the same images.")
    seconds: float
    finished_at: datetime
    allocation: dict[str, Option] = Field(description="A point left out stays in float32.")


class Point(BaseModel):
    """A tensor that is stored between fused operators, or the weight of one."""

    name: str
    elements: int = Field(description="Values stored per image; of a weight, its values.")
    kind: Kind


class Front(BaseModel):
    """The fully evaluated trials that no other such dominates, fewest bits first.

    Of a search for the floor, only the feasible ones.
    """

    float_accuracy: float | None
    floor: float | None
    images: int | None = Field(description="In the search split.")
    objective: str = Field(description="What is minimized.")
    goal: str = Field(description="floor: feasible trials only; front: all of them.")
    hypervolume: float | None = Field(
        description="Share of a box that the front dominates: memory from none to that of the "
        "float network, accuracy from half of the float model's to all of it."
    )
    points: list[Point]
    front: list[Trial]


class JobPage(BaseModel):
    """Part of the jobs, newest first."""

    items: list[Job]
    next: str | None = Field(description="Pass it as `cursor` for the following page.")


class TrialPage(BaseModel):
    """Part of a job's trials, in order."""

    items: list[Trial]
    next: str | None = Field(description="Pass it as `cursor` for the following page.")


class Health(BaseModel):
    """How the service is."""

    status: str


class FieldError(BaseModel):
    """One field that cannot be used."""

    model_config = ConfigDict(extra="allow")

    field: str
    message: str = Field(description="What is wrong, and what to do about it.")


class Problem(BaseModel):
    """What every error looks like (RFC 9457); further members depend on the type."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:bitfloor:problem: and a stable code.")
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
