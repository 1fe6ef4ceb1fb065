"""What is asked for: the request as submitted, and the search it resolves to."""

import math
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from search import cost
from search import rules
from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.baseline import Certificate
from search.cost import Objective
from search.errors import EmptySearchSpace
from search.errors import InvalidSpec
from search.errors import ObjectiveOutOfReach
from search.preprocessing import Preprocessing
from search.rules import Menu
from search.rules import PointRule
from search.rules import PointRules
from search.splits import Splits
from search.variables import Variable
from search.variables import group

if TYPE_CHECKING:  # it needs numpy, and a client installs without
    from search.sensitivity import Sensitivity

DEFAULT_BIT_WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8)
DEFAULT_QUANTIZERS = ("affine", "affine_mse", "codebook_bounded")
DEFAULT_BUDGET = 60  # trials
MAX_BUDGET = 100_000  # trials
DEFAULT_TRIAL_TIMEOUT = 600.0  # seconds
#: metric -> an image is a hit if its label is among so many largest logits
METRICS = {"top1": 1, "top5": 5}
#: what can be quantized -> what is minimized unless the request says otherwise
TARGETS = {
    "activations": cost.ACTIVATION_MEMORY,
    "weights": cost.WEIGHT_MEMORY,
    "both": cost.TOTAL_MEMORY,
}
#: what can be quantized -> what is stored at its points
KINDS = {
    "activations": frozenset({Kind.ACTIVATION}),
    "weights": frozenset({Kind.WEIGHT}),
    "both": frozenset(Kind),
}
#: "join": points that meet in one addition or concatenation share one option
TIES = ("none", "join")
#: "floor": the fewest bits above it; "front": accuracy against memory over the whole range
GOALS = ("floor", "front")
DEFAULT_CONFIDENCE = 0.95
AUTO = "auto"
MAX_PARALLELISM = 1_024
MEASURED = 0.5  # the confidence that asks for no more than the measured accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A request as submitted: names of registered things and numbers, nothing else."""

    #: registered model
    model: str
    #: published weights of that model, or a file under the model root; None: it brings its own
    weights: str | None = None
    #: registered dataset
    dataset: str
    #: δ, the largest accepted absolute drop of the metric, in [0, 1)
    tolerance: float
    #: registered quantizers to choose from
    quantizers: tuple[str, ...] = DEFAULT_QUANTIZERS
    #: bit-widths to choose from
    bit_widths: tuple[int, ...] = DEFAULT_BIT_WIDTHS
    #: what holds for some points only, by pattern, later rules winning
    points: PointRules = ()
    #: what is quantized, one of `TARGETS`
    target: str = "activations"
    #: one of `TIES`
    tie: str = "none"
    #: what to minimize, one of `cost.OFFERED`; None: the memory of the target
    objective: str | None = None
    #: one of `GOALS`
    goal: str = "floor"
    #: at which the certified best is proved to hold the floor; 0.5: what is measured is believed
    confidence: float = DEFAULT_CONFIDENCE
    #: registered sampler
    sampler: str = "bitfloor"
    #: trials, exactly, unless the search space is smaller
    budget: int = DEFAULT_BUDGET
    #: seeds every random choice
    seed: int = 0
    #: seconds one trial may take before its worker is ended and the job retried
    trial_timeout: float = DEFAULT_TRIAL_TIMEOUT
    #: evaluators that share every round, at most; AUTO: as many as there are. The result does not
    #: depend on it
    parallelism: int | str = 1
    #: one of `METRICS`
    metric: str = "top1"
    #: numbers of images; None: worked out from the dataset
    splits: Splits | None = None
    #: what it leaves out comes from the weights; None: all of it does
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        if not self.quantizers:
            raise EmptySearchSpace("quantizers")
        rules.check_bit_widths(self.bit_widths, field="bit_widths")
        rules.check(self.points)
        if not 0 <= self.tolerance < 1:
            raise InvalidSpec("tolerance", f"{self.tolerance:g} is not in [0, 1)")
        if not 1 <= self.budget <= MAX_BUDGET:
            raise InvalidSpec("budget", f"{self.budget} is not in 1..{MAX_BUDGET} trials")
        if not (0 < self.trial_timeout < math.inf):
            raise InvalidSpec("trial_timeout", f"{self.trial_timeout:g} s is not above 0")
        if self.parallelism != AUTO and not 1 <= int(self.parallelism) <= MAX_PARALLELISM:
            raise InvalidSpec("parallelism", f"{self.parallelism} is not in 1..{MAX_PARALLELISM}")
        _require_known("metric", self.metric, known=METRICS)
        _require_known("target", self.target, known=TARGETS)
        _require_known("tie", self.tie, known=TIES)
        _require_known("goal", self.goal, known=GOALS)
        _require_known("objective", self.minimizes, known=cost.OFFERED)
        if self.minimizes not in cost.OFFERED_FOR[self.target]:
            raise ObjectiveOutOfReach(self.minimizes, self.target)
        if not MEASURED <= self.confidence < 1:
            raise InvalidSpec("confidence", f"{self.confidence:g} is not in [{MEASURED:g}, 1)")

    @property
    def minimizes(self) -> str:
        """What to minimize, by name."""
        return self.objective or TARGETS[self.target]

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is quantized."""
        return KINDS[self.target]

    def menus(
        self, points: Sequence[QuantizationPoint], *, able: rules.Able = rules.anything
    ) -> tuple[Menu, ...]:
        """Return what each of these points may choose from; empty where it stays in float32.

        `able` tells what a quantizer can quantize. Raises UnknownPoint and EmptySearchSpace.
        """
        default = PointRule(bit_widths=self.bit_widths, quantizers=self.quantizers)
        return rules.menus(self.points, points, default=default, able=able)


def _require_known(field: str, name: str, *, known: Collection[str]) -> None:
    if name not in known:
        raise InvalidSpec(field, f"{name!r} is not one of {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpec:
    """A search resolved against a captured network and the float model's own hits."""

    #: in network order
    points: tuple[QuantizationPoint, ...]
    #: what each point may choose from, parallel to `points`; empty: it stays in float32
    menus: tuple[Menu, ...]
    #: the float model on the search split
    baseline: Baseline
    sampler: str
    #: trials, exactly, unless the search space is smaller
    budget: int
    seed: int
    #: what to minimize; None: the activation memory of `points`
    objective: Objective | None = None
    #: points that share one option
    ties: tuple[frozenset[str], ...] = ()
    #: what a trial that holds must promise; None: no more than the floor on the search split
    certificate: Certificate | None = None
    #: one of `GOALS`
    goal: str = "floor"
    #: what was measured before the first trial; None: nothing
    sensitivity: "Sensitivity | None" = field(default=None, compare=False, repr=False)
    #: what there is to decide, in network order; points that stay in float32 are in none
    variables: tuple[Variable, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.points:
            raise EmptySearchSpace("points")
        if len(self.menus) != len(self.points) or not any(self.menus):
            raise EmptySearchSpace("menus")
        menus = dict(zip((point.name for point in self.points), self.menus, strict=True))
        # worked out once: proposing asks for them all the time
        object.__setattr__(self, "variables", group(menus, self.ties))

    def allocation(self, options: Sequence[QuantizerConfig]) -> BitAllocation:
        """Return the allocation that gives each variable its option, parallel to `variables`."""
        chosen = {
            name: option
            for variable, option in zip(self.variables, options, strict=True)
            for name in variable.points
        }
        named = ((p.name, chosen[p.name]) for p in self.points if p.name in chosen)
        return BitAllocation(tuple(named))

    @property
    def minimized(self) -> Objective:
        """What is minimized."""
        return self.objective or cost.ActivationMemory(self.points)

    def cost(self, allocation: BitAllocation) -> int:
        """Return what the allocation costs, the less the better."""
        return self.minimized.cost(allocation)

    @property
    def size(self) -> int:
        """How many different allocations there are."""
        return math.prod(len(variable.menu) for variable in self.variables)
