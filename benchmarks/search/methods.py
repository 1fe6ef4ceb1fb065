"""Every method that is compared, by name."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from benchmarks.search import families
from benchmarks.search import sampled
from benchmarks.search import sensitivity
from benchmarks.search import solver
from benchmarks.search.greedy import greedy
from benchmarks.search.ground import Ground
from search import lin
from search import samplers
from search import study
from search.allocation import BitAllocation
from search.trial import TrialResult
from search.uniform import uniform_allocations

OURS = "bitfloor"
#: evaluations of the samplers that anybody could run
EVALUATIONS, EVALUATIONS_FULL = 200, 2_000
_RACED = "raced-"
#: what is run unless others are asked for
USUAL = (
    OURS,
    f"{_RACED}tpe",
    "uniform",
    "lin",
    "solver",
    "greedy",
    "tpe",
    "nsga2",
    "random",
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Attempt:
    """What one method did at one case and seed, before certification."""

    method: str
    trials: Sequence[TrialResult]
    #: images beyond those of the setup and of the trials; a backward pass counts as two
    other_images: int = 0


Run = Callable[[Ground], Attempt]


def offered(*, evaluations: int) -> Mapping[str, Run]:
    """Return the methods in the order in which they are run.

    Ours and those named `raced-` are registered samplers in our own study, with its uniform start
    and its racing; the plain ones are the same samplers without either.
    """
    return {
        **{_named(sampler): partial(_study, sampler=sampler) for sampler in samplers.registered()},
        "uniform": _uniform,
        "lin": _lin,
        "solver": _solver,
        "greedy": _greedy,
        "tpe": partial(_plain, sampler="tpe", evaluations=evaluations),
        "nsga2": partial(_nsga2, evaluations=evaluations),
        "random": partial(_plain, sampler="random", evaluations=evaluations),
    }


def _study(ground: Ground, *, sampler: str) -> Attempt:
    spec = ground.resolved(sampler)
    sensed = spec.sensitivity.images if spec.sensitivity else 0
    trials = [*study.run(spec, ground.evaluate)]
    return Attempt(method=_named(sampler), trials=trials, other_images=sensed)


def _named(sampler: str) -> str:
    return sampler if sampler == OURS else f"{_RACED}{sampler}"


def _uniform(ground: Ground) -> Attempt:
    return _walked(ground, "uniform", uniform_allocations(ground.search))


def _lin(ground: Ground) -> Attempt:
    return _walked(ground, "lin", lin.family(ground.search))


def _walked(
    ground: Ground, method: str, family: Iterable[BitAllocation], *, other_images: int = 0
) -> Attempt:
    number = count()
    trials = families.walked(
        family,
        spec=ground.search,
        evaluated=lambda a: ground.evaluated(a, number=next(number), origin=method),
    )
    return Attempt(method=method, trials=[*trials], other_images=other_images)


def _solver(ground: Ground) -> Attempt:
    scores = sensitivity.scores(ground.bench, ground.search)
    family = solver.family(ground.search, scores)
    images = sensitivity.PASSES * len(ground.bench.dataset.calibration)
    return _walked(ground, "solver", family, other_images=images)


def _greedy(ground: Ground) -> Attempt:
    number = count()

    def evaluated(allocation: BitAllocation, phase: str) -> TrialResult:
        return ground.evaluated(allocation, number=next(number), origin=phase)

    return Attempt(method="greedy", trials=[*greedy(ground.search, evaluated)])


def _plain(ground: Ground, *, sampler: str, evaluations: int) -> Attempt:
    trials = sampled.plain(ground, sampler, evaluations=evaluations)
    return Attempt(method=sampler, trials=[*trials])


def _nsga2(ground: Ground, *, evaluations: int) -> Attempt:
    return Attempt(method="nsga2", trials=[*sampled.nsga2(ground, evaluations=evaluations)])
