"""Compares samplers by the fronts they find: `python -m benchmarks.front [MODELS DATASETS]`.

All search the same calibrated network for the front, by trials. Prints one JSON line per case,
sampler and seed: the share of the box that the front dominates after some trials, and the images.
"""

import argparse
import json
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.search import cases
from benchmarks.search.ground import Ground
from benchmarks.search.ground import prepare
from search import cost
from search import study
from search.pareto import hypervolume
from search.pareto import pareto_front
from search.trial import Verdict
from workers.settings import WorkerSettings

AFTER = (5, 10, 20, 40)  # trials
SAMPLERS = ("bitfloor", "tpe", "nsga2", "random")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for every case, seed and sampler that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front")
    parser.add_argument("models", nargs="?", type=Path, help="a worker's model root")
    parser.add_argument("datasets", nargs="?", type=Path, help="a worker's data root")
    parser.add_argument("--case", default=cases.DIGITS.name, choices=[*cases.CASES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samplers", nargs="+", default=[*SAMPLERS])
    asked = parser.parse_args(arguments)
    settings = WorkerSettings()
    if asked.models is not None:
        folders = {"model_root": asked.models, "data_root": asked.datasets}
        settings = settings.model_copy(update=folders)
    for seed in range(asked.seeds):
        ground = prepare(cases.CASES[asked.case], seed, settings=settings)
        for line in _lines(ground, asked.samplers):
            print(json.dumps(line), flush=True)


def _lines(ground: Ground, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        # the same seed for all: what is drawn differs by the sampler alone
        search = replace(ground.search, sampler=name, goal="front", budget=AFTER[-1])
        trials = list(study.run(search, ground.evaluate))
        baseline, float_cost = search.baseline, cost.float_cost(search.minimized)
        fronts = {n: pareto_front(trials[:n], goal="front") for n in AFTER}
        shares = {
            n: hypervolume(front, baseline=baseline, float_cost=float_cost)
            for n, front in fronts.items()
        }
        images = sum(trial.hits.images for trial in trials)
        yield {
            "case": ground.case,
            "seed": ground.seed,
            "sampler": name,
            "hypervolume": {n: round(share, 4) for n, share in shares.items()},
            "full_passes": round(images / baseline.images, 1),
            "stopped": sum(trial.verdict is Verdict.DOMINATED for trial in trials),
            "front": len(fronts[AFTER[-1]]),
        }


if __name__ == "__main__":
    main()
