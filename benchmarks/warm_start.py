"""What starting from an earlier job saves: `python -m benchmarks.warm_start [--seeds N]`.

A search of the embedded network at δ = 1 %, then one at δ = 0.5 % and one of another menu, each
once from the first and once cold. Prints one JSON line per seed and search: the images until there
is an allocation that held in as few bits as the cold search's best, and the images in all.
"""

import argparse
import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from search import study
from search.spec import MEASURED
from search.spec import JobSpec
from search.spec import SearchSpec
from search.splits import Splits
from search.trial import TrialResult
from service.store.starts import Earlier
from workers import resolution
from workers import sensitivity
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.evaluators.evaluator import Evaluator
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.start import Source
from workers.workbench import Workbench

#: what the search split counts is believed: too few images are left to certify a drop of 0.5 %
FIRST = JobSpec(
    model="digits-vgg",
    dataset="digits",
    splits=Splits(calibration=100, search=800, certification=100),
    tolerance=0.01,
    confidence=MEASURED,
    budget=40,
)
AGAIN: Mapping[str, Mapping[str, Any]] = {
    "half the tolerance": {"tolerance": 0.005},
    "2 to 6 bits": {"bit_widths": (2, 3, 4, 5, 6)},
}


@dataclass(frozen=True, eq=False)
class Searched:
    """One search, carried out."""

    spec: SearchSpec
    trials: Sequence[TrialResult]

    @property
    def sensed(self) -> int:
        """Images that the sensitivity took."""
        return self.spec.sensitivity.images if self.spec.sensitivity else 0

    @property
    def images(self) -> int:
        """Images in all, but for the calibration and the float model, which any search sees."""
        return self.sensed + sum(trial.spent for trial in self.trials)

    @property
    def best(self) -> int:
        """The fewest bits that held."""
        return min(trial.memory_bits for trial in self.trials if trial.feasible)

    def images_until(self, memory_bits: int) -> int | None:
        """Return the images until something held in so few bits; None: nothing did."""
        images = self.sensed
        for trial in self.trials:
            images += trial.spent
            if trial.feasible and trial.memory_bits <= memory_bits:
                return images
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for every seed and search."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_start")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=FIRST.budget)
    asked = parser.parse_args(arguments)
    for seed in range(asked.seeds):
        for line in _lines(replace(FIRST, seed=seed, budget=asked.budget)):
            print(json.dumps(line), flush=True)


def _lines(first: JobSpec) -> Iterator[dict[str, Any]]:
    earlier = _searched(first)
    kept = earlier.spec.sensitivity
    start = Earlier(
        id="first",
        spec=first,
        ground=None,
        sensitivity=None if kept is None else sensitivity.document_of(kept),
        trials=earlier.trials,
    )
    for name, changes in AGAIN.items():
        job = replace(first, **changes)
        cold, warm = _searched(job), _searched(job, start)
        taken = [trial for trial in warm.trials if trial.earlier]
        yield {
            "seed": first.seed,
            "search": name,
            "taken": len(taken),
            "of them undecided": sum(not trial.decided for trial in taken),
            "cold images to its best": cold.images_until(cold.best),
            "warm images to as few bits": warm.images_until(cold.best),
            "cold images": cold.images,
            "warm images": warm.images,
            "cold best, bits": cold.best,
            "warm best, bits": warm.best,
        }


def _searched(job: JobSpec, earlier: Earlier | None = None) -> Searched:
    bench, evaluator = _prepared(job)
    source = Source(earlier=earlier)
    known = source.known(bench, job)
    spec = resolution.resolve(job, bench, evaluator=evaluator, known=known)
    taken = source.start(bench, spec, known=known).trials
    return Searched(spec, [*taken, *study.run(spec, evaluator, history=taken)])


def _prepared(job: JobSpec) -> tuple[Workbench, Evaluator]:
    settings = WorkerSettings()
    bench = workbench.prepare(
        job,
        models=open_models(settings.model_root),
        around=surroundings(settings),
        device=workbench.choose_device(settings.device),
        batch=settings.batch,
    )
    return bench, bench.evaluator(bench.dataset.search)


if __name__ == "__main__":
    main()
