"""One calibrated network with its splits and its floor: what all methods are compared on."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from functools import partial
from hashlib import sha256
from pathlib import Path

from benchmarks.search.cases import Case
from benchmarks.search.replay import Replay
from search import cost
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.racing import Race
from search.spec import JobSpec
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from workers import resolution
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.evaluators.evaluator import Evaluator
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.workbench import Workbench


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """What is the same for every method at one case and seed."""

    case: str
    seed: int
    job: JobSpec
    search: SearchSpec
    bench: Workbench
    #: on the search split, and what `evaluate` replays
    evaluator: Evaluator
    evaluate: Replay
    #: on the certification split
    certify: Replay
    #: the float model there
    certification: Baseline

    @cached_property
    def race(self) -> Race:
        """What it takes to hold, for racing methods and for others."""
        return Race.of(self.search.baseline, self.search.certificate)

    @property
    def images(self) -> int:
        """Images of the search split: one full pass."""
        return self.search.baseline.images

    @property
    def setup_images(self) -> int:
        """Images that any method has to see first: to calibrate, and to know the floor."""
        return self.bench.calibration_images + self.images

    @property
    def float_memory(self) -> int:
        """What the float network stores, in bits."""
        return cost.float_cost(self.search.minimized)

    def load(self, folder: Path) -> None:
        """Take in what an earlier run evaluated of this case and seed."""
        for split, replay in self._replays():
            replay.load(folder / f"{self.case}-{self.seed}-{split}.json")

    def save(self, folder: Path) -> None:
        """Keep what was evaluated for a later run."""
        for split, replay in self._replays():
            replay.save(folder / f"{self.case}-{self.seed}-{split}.json")

    def _replays(self) -> Iterator[tuple[str, Replay]]:
        yield from (("search", self.evaluate), ("certification", self.certify))

    def resolved(self, sampler: str) -> SearchSpec:
        """Return the search as a worker would carry it out with this sampler."""
        job = replace(self.job, sampler=sampler)
        return resolution.resolve(job, self.bench, evaluator=self.evaluator)

    def evaluated(self, allocation: BitAllocation, *, number: int, origin: str) -> TrialResult:
        """Return the trial of an allocation on every image: no racing."""
        hits = self.evaluate.total(allocation)
        return judged(self, allocation, hits=hits, number=number, origin=origin)


def judged(
    ground: Ground, allocation: BitAllocation, *, hits: Hits, number: int, origin: str
) -> TrialResult:
    """Return the trial that these hits over all images make."""
    verdict = ground.race.decide(hits)
    assert verdict is not None, "all images decide"
    return TrialResult(
        number=number,
        allocation=allocation,
        origin=origin,
        memory_bits=ground.search.cost(allocation),
        hits=hits,
        complete=True,
        constraint=ground.race.constraint(hits),
        verdict=Verdict(verdict),
    )


def prepare(case: Case, seed: int, *, settings: WorkerSettings) -> Ground:
    """Load, split and calibrate; raises what `workbench.prepare` raises."""
    job = case.seeded(seed)
    bench = workbench.prepare(
        job,
        models=open_models(settings.model_root),
        around=surroundings(settings),
        device=workbench.choose_device(settings.device),
        batch=settings.batch,
    )
    evaluator = bench.evaluator(bench.dataset.search)
    unseen = bench.evaluator(bench.dataset.certification)
    name = partial(_name, bench, {})
    return Ground(
        case=case.name,
        seed=seed,
        job=job,
        search=resolution.resolve(job, bench, evaluator=evaluator),
        bench=bench,
        evaluator=evaluator,
        evaluate=Replay(evaluator, images=evaluator.images, name=name),
        certify=Replay(unseen, images=unseen.images, name=name),
        certification=workbench.baseline(job, unseen),
    )


def _name(
    bench: Workbench, known: dict[tuple[str, QuantizerConfig], str], allocation: BitAllocation
) -> str:
    """Return a name that changes with what any option of the allocation is fitted to."""
    for point, option in allocation.items():
        if (point, option) not in known:
            fitted = repr(bench.options.parameters(point, option).describe())
            known[point, option] = sha256(fitted.encode()).hexdigest()[:8]
    parts = (f"{point}={option}@{known[point, option]}" for point, option in allocation.items())
    return " ".join(parts)
