"""Searches real networks: `python -m benchmarks.real_networks MODELS DATASETS [CASE …]`.

MODELS and DATASETS are folders laid out as a worker's model and data roots. Each case prints one
JSON line: the floor, what was certified, what it cost, and the best uniform allocation beside it.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from search import certify
from search import cost
from search import study
from search.documents import Evidence
from search.preprocessing import Preprocessing
from search.spec import JobSpec
from search.spec import SearchSpec
from search.splits import Splits
from workers import workbench
from workers.conclusion import conclude
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.workbench import Workbench

QUANTIZERS = ("affine", "affine_mse", "codebook_bounded")
PHOTOGRAPHS: Mapping[str, Any] = {
    "dataset": "folder/imagenet-val",
    "splits": Splits(calibration=50, search=240, certification=360),
}
#: a program does not say what it was trained on
IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
CIFAR: Mapping[str, Any] = {
    "preprocessing": IMAGENET,
    "dataset": "arrays/test10000_jpeg",
    "splits": Splits(calibration=500, search=2000, certification=4500),
}
CASES: Mapping[str, Mapping[str, Any]] = {
    "vgg16slim": {**CIFAR, "model": "program/vgg16slim_cifar10", "tolerance": 0.01},
    "alexnetslim": {**CIFAR, "model": "program/alexnetslim_cifar10", "tolerance": 0.01},
    "squeezenet1_1": {
        **PHOTOGRAPHS,
        "model": "torchvision/squeezenet1_1",
        "weights": "squeezenet1_1.safetensors",
        "tolerance": 0.04,
    },
    "resnet20": {**CIFAR, "model": "program/resnet20_cifar10", "tolerance": 0.01},
    "resnet18": {
        **PHOTOGRAPHS,
        "model": "torchvision/resnet18",
        "weights": "resnet18.safetensors",
        "tolerance": 0.04,
    },
}
BUDGET = 24  # trials
RIVALS = 40  # trials of uniform allocations and Lin et al.'s together


def main() -> None:
    """Run the named cases, all of them by default."""
    if len(sys.argv) < 3:
        print("needs two folders, of models and of datasets; nothing measured", file=sys.stderr)
        return
    models, datasets, *names = sys.argv[1:]
    settings = WorkerSettings(model_root=Path(models), data_root=Path(datasets))
    for name in names or CASES:
        print(json.dumps(measured(name, settings)), flush=True)


def measured(name: str, settings: WorkerSettings) -> dict[str, Any]:
    """Return the figures of one case."""
    job = JobSpec(**CASES[name], quantizers=QUANTIZERS, budget=BUDGET)
    started = time.monotonic()
    bench = workbench.prepare(
        job,
        models=open_models(settings.model_root),
        around=surroundings(settings),
        device=workbench.choose_device(settings.device),
        batch=settings.batch,
    )
    evaluator = bench.evaluator(bench.dataset.search)
    search = workbench.resolve(job, bench, evaluator=evaluator)
    trials = []
    for trial in study.run(search, evaluator):
        trials.append(trial)
        told = f"{name} {trial.number} {trial.origin} {trial.feasible} {trial.hits.accuracy:.4f}"
        print(told, trial.memory_bits, file=sys.stderr)
    evidence = Evidence(
        job=job, search=search, trials=trials, calibration_images=bench.calibration_images
    )
    conclusion = conclude(evidence, bench, check=lambda: None)
    document = conclusion.document
    own = time.monotonic() - started
    line = {
        "benchmark": "real_networks",
        "case": name,
        "seconds": own,
        **{f"{who}_saved": saved for who, saved in rivals(search, bench, job).items()},
    }
    if not conclusion.certified:
        return line | {"certified": False, "reason": document["reason"]}
    passes = document["images_evaluated"] / search.baseline.images
    return line | {"certified": True, **figures(document), "passes": passes}


def figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a best document says of memory and of the certification split."""
    of_split = ("float_accuracy", "floor", "accuracy", "p_value", "gap")
    of_search = ("average_bits", "saved", "images_evaluated")
    return {
        **{name: document["certification"][name] for name in of_split},
        **{name: document[name] for name in of_search},
    }


def rivals(search: SearchSpec, bench: Workbench, job: JobSpec) -> dict[str, float | None]:
    """Return what the uniform allocations and Lin et al.'s save, found and certified as ours is."""
    evaluate = bench.evaluator(bench.dataset.search)
    certifier = bench.evaluator(bench.dataset.certification)
    baseline = workbench.baseline(job, certifier)
    trials = list(study.run(replace(search, sampler="lin", budget=RIVALS), evaluate))
    found: dict[str, float | None] = {}
    for origin in ("uniform", "lin"):
        ordered = certify.candidates([t for t in trials if t.origin == origin], spec=search)
        checks = certify.certify(ordered, certifier, baseline=baseline, confidence=job.confidence)
        held = [check.trial for check in checks if check.holds]
        found[origin] = cost.saved(search.points, held[0].memory_bits) if held else None
    return found


if __name__ == "__main__":
    main()
