"""What a client may send to submit a job; whatever is wrong with it is told field by field."""

from dataclasses import fields
from typing import Annotated
from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import StringConstraints

from search.allocation import MAX_BIT_WIDTH
from search.spec import DEFAULT_BIT_WIDTHS
from search.spec import DEFAULT_BUDGET
from search.spec import DEFAULT_CONFIDENCE
from search.spec import DEFAULT_QUANTIZERS
from search.spec import DEFAULT_TRIAL_TIMEOUT
from search.spec import MAX_BUDGET
from search.spec import MAX_PARALLELISM
from search.spec import MEASURED
from search.spec import JobSpec
from service.api import images
from service.api import webhooks
from service.api.rules import BitWidth
from service.api.rules import EachOnce
from service.api.rules import Name
from service.api.rules import PointRule
from service.store.values import Submission

MAX_SEED = 2**32 - 1  # what every library's generator accepts
MAX_PRIORITY = 1_000
MAX_TRIAL_TIMEOUT = 86_400.0  # seconds
MAX_LABELS = 32
MAX_RULES = 1_000
DEFAULT_SAMPLER = str({field.name: field.default for field in fields(JobSpec)}["sampler"])

#: A colon ends the key where jobs are filtered by label, so a key has none.
LABEL_KEY = r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?"
#: Control characters, NUL among them, cannot be stored or shown.
LABEL_VALUE = r"[^\x00-\x1f\x7f]{0,255}"


Objective = Literal[
    "activation_memory",
    "activation_memory_with_codebooks",
    "peak_activation_memory",
    "weight_memory",
    "total_memory",
    "bit_operations",
]
LabelKey = Annotated[str, StringConstraints(pattern=f"^{LABEL_KEY}$")]
LabelValue = Annotated[str, StringConstraints(pattern=f"^{LABEL_VALUE}$")]


Priority = Annotated[
    int,
    Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY, description="Higher is run sooner; equals by age."),
]


class JobSubmission(BaseModel):
    """A search to carry out. Unknown fields, duplicates and numbers written as text are refused."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.01},
                {
                    "model": "torchvision/squeezenet1_1",
                    "weights": "IMAGENET1K_V1",
                    "dataset": "imagenet-sample",
                    "tolerance": 0.02,
                    "quantizers": ["affine"],
                    "bit_widths": [2, 4, 8],
                    "target": "both",
                    "confidence": 0.99,
                    "points": {"features.0": {"bit_widths": [8]}, "*.squeeze": {"exclude": True}},
                    "budget": 200,
                    "seed": 7,
                    "labels": {"team": "vision"},
                },
            ]
        },
    )

    model: Name = Field(description="Registered model; GET /v1/models lists them.")
    weights: Name | None = Field(
        default=None,
        description="Published weights of the model, which GET /v1/models lists, or a "
        ".safetensors, .pth or .pt file under the worker's model root; none for a model that has "
        "its own.",
    )
    dataset: Name = Field(description="Registered dataset; GET /v1/datasets lists them.")
    tolerance: float = Field(
        ge=0, lt=1, description="Largest accepted absolute drop of the metric: 0.01 is a point."
    )
    quantizers: Annotated[list[Name], EachOnce] = Field(
        default=list(DEFAULT_QUANTIZERS),
        min_length=1,
        max_length=64,
        description="Quantizers to choose from, each once; GET /v1/quantizers lists them.",
        json_schema_extra={"uniqueItems": True},
    )
    bit_widths: Annotated[list[BitWidth], EachOnce] = Field(
        default=list(DEFAULT_BIT_WIDTHS),
        min_length=1,
        max_length=MAX_BIT_WIDTH,
        description="Bits per value to choose from, each once.",
        json_schema_extra={"uniqueItems": True},
    )
    points: dict[Name, PointRule] = Field(
        default={},
        max_length=MAX_RULES,
        description="Rules for some points only, by name or by pattern (* ? []). In order, later "
        "ones win; a pattern that matches no point ends the job.",
    )
    target: Literal["activations", "weights", "both"] = Field(
        default="activations",
        description="What is quantized: what layers pass on, what they multiply with, or both.",
    )
    tie: Literal["none", "join"] = Field(
        default="none",
        description="join: points that meet in one addition or concatenation share one bit-width "
        "and quantizer, as integer hardware wants them.",
    )
    objective: Objective | None = Field(
        default=None,
        description="What to minimize; left out, the memory of the target. Activation memory is "
        "elements x bits over all points per image, as it is or with 32 bits for every level of "
        "the codebooks that are chosen, or over the points that are held at once, at the step that "
        "holds most. Weight memory and total memory count all that is stored for the weights; "
        "bit operations are multiply-accumulates x bits x bits.",
    )
    goal: Literal["floor", "front"] = Field(
        default="floor",
        description="floor: the fewest bits above it; front: accuracy against memory over the "
        "whole range.",
    )
    confidence: float = Field(
        default=DEFAULT_CONFIDENCE,
        ge=MEASURED,
        lt=1,
        description="At which the certified best is proved to hold the floor on images that no "
        "search saw; 0.5 believes the accuracy that is measured there.",
    )
    sampler: Name = Field(
        default=DEFAULT_SAMPLER,
        description="What proposes; GET /v1/samplers lists them.",
    )
    budget: int = Field(default=DEFAULT_BUDGET, ge=1, le=MAX_BUDGET, description="Trials.")
    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Seeds every random choice.")
    trial_timeout: float = Field(
        default=DEFAULT_TRIAL_TIMEOUT,
        gt=0,
        le=MAX_TRIAL_TIMEOUT,
        description="Seconds one trial may take before it counts as hung.",
    )
    parallelism: Annotated[int, Field(ge=1, le=MAX_PARALLELISM)] | Literal["auto"] = Field(
        default=1,
        description="Evaluators that share the images of every trial, at most; auto: as many as "
        "the worker has. What is found does not depend on it.",
    )
    metric: Literal["top1", "top5"] = Field(
        default="top1",
        description="A hit is a label with the largest, or one of the five largest, logits.",
    )
    splits: images.Splits | None = Field(
        default=None, description="Numbers of images; left out, they follow from the dataset."
    )
    preprocessing: images.Preprocessing | None = Field(
        default=None,
        description="How photographs become input; left out, as the weights were trained.",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={},
        max_length=MAX_LABELS,
        description="Yours to filter by. Keys: letters, digits and ._/- between them.",
    )
    fresh: bool = Field(
        default=False,
        description="Search anew, whatever an earlier job of yours found with the same request on "
        "the same network and images.",
    )
    from_job: Name | None = Field(
        default=None,
        description="An earlier job of yours, on the same model and images, that has ended: its "
        "trials are taken over where they fit, judged anew, and its sensitivity.",
    )
    priority: Priority = 0
    webhook: webhooks.Webhook | None = Field(
        default=None, description="Whom to tell when the job ends; left out, nobody."
    )

    def to_value(self, idempotency_key: str | None) -> Submission:
        """Return what the store keeps."""
        own = self.model_dump(exclude={"labels", "priority", "fresh", "from_job", "webhook"})
        own |= {"quantizers": tuple(self.quantizers), "bit_widths": tuple(self.bit_widths)}
        own |= {
            "splits": self.splits and self.splits.to_value(),
            "preprocessing": self.preprocessing and self.preprocessing.to_value(),
        }
        own["points"] = tuple((pattern, rule.to_value()) for pattern, rule in self.points.items())
        return Submission(
            spec=JobSpec(**own),
            labels=self.labels,
            priority=self.priority,
            fresh=self.fresh,
            from_job=self.from_job,
            idempotency_key=idempotency_key,
            webhook=self.webhook.to_value() if self.webhook else None,
        )


class PriorityChange(BaseModel):
    """Another priority for a job."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"priority": 10}]}
    )

    priority: Priority
