"""Measures what a second evaluator brings, and works out what limits sixty-four.

One JSON line a figure. Measured: the speed-up of passes over a split by two shards of a Ray
cluster on this machine, each with one thread, over one; the bytes of a broadcast; what it takes
besides the work. Worked out from these: trials of a real search, as long as they are there, on a
split as large as a GPU would have.
"""

import json
import pickle
import tempfile
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import Dim

from benchmarks.chaos.crew import until
from benchmarks.chaos.ray_nodes import nodes
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.spec import JobSpec
from search.splits import Splits
from workers import resolution
from workers import workbench
from workers.cluster import connection
from workers.cluster import ray_shards
from workers.cluster.ray_shards import RayShards
from workers.datasets.catalog import surroundings
from workers.evaluators import rounds
from workers.models.registry import open_models
from workers.settings import RaySettings
from workers.settings import WorkerSettings
from workers.shards.evaluator import ShardedEvaluator
from workers.shards.shards import Shards
from workers.workbench import Workbench

CPU = torch.device("cpu")
TURNS = 5
IMAGES, SEARCH, SIDE, CLASSES = 5_012, 4_500, 32, 10
JOB = JobSpec(
    model="program/bench",
    dataset="arrays/bench",
    tolerance=0.05,
    parallelism=2,
    splits=Splits(calibration=256, search=SEARCH, certification=IMAGES - 256 - SEARCH),
)
ALLOCATIONS = (QuantizerConfig("affine", 4), QuantizerConfig("codebook_bounded", 8))
#: of the machine that is worked out: images of its search split, and seconds of a GPU for a round
LARGE_SPLIT, ROUND_SECONDS, BATCH = 22_500, 0.02, 128


def main() -> None:
    """Print the figures."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, nodes() as cluster:
        folder = Path(name)
        settings = WorkerSettings(model_root=folder, data_root=folder, cache_dir=folder / "cache")
        made(folder)
        cluster.start_head()
        until("the head answers", lambda: connection.answers(cluster.address))
        for _ in range(2):
            cluster.start_node(evaluators=1)
        ray_settings = RaySettings(address=cluster.address)
        joined = connection.connect(ray_settings, stop=threading.Event())
        assert joined is not None
        until("both nodes are there", lambda: joined.room() == 2)
        with ray_shards.opened(joined, JOB, settings=settings, check=lambda: None) as two:
            one = RayShards(joined.ray, two._actors[:1], check=lambda: None)  # noqa: SLF001 - the same actors for both
            overhead = measured(one, two, settings=settings)
        joined.ray.shutdown()
    worked_out(overhead)


class Small(nn.Module):
    """A convolutional network that takes about a millisecond of one core for an image."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 64)
        self.body = nn.Sequential(
            *(
                layer
                for one, other in pairwise(widths)
                for layer in (nn.Conv2d(one, other, 3, padding=1), nn.ReLU())
            ),
            nn.AdaptiveAvgPool2d(4),
        )
        self.head = nn.Linear(64 * 16, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        logits: torch.Tensor = self.head(self.body(images).flatten(1))
        return logits


@torch.inference_mode()
def made(folder: Path) -> None:
    """Write a network and images that it labels itself: what they show does not matter."""
    torch.manual_seed(0)
    network = Small().eval()
    images = torch.randint(0, 256, (IMAGES, 3, SIDE, SIDE), dtype=torch.uint8)
    labels = torch.cat([network(some / 255).argmax(1) for some in torch.split(images, 64)])
    np.savez(folder / "bench.npz", images=images.numpy(), labels=labels.numpy())
    batch = ({0: Dim("batch")},)
    program = torch.export.export(network, (images[:2] / 255,), dynamic_shapes=batch)
    torch.export.save(program, folder / "bench.pt2")


@dataclass(frozen=True, slots=True)
class Overhead:
    """What sharing costs, as measured."""

    #: seconds of a broadcast beyond the work
    broadcast: float
    #: of what goes out with a trial
    bytes: int


def measured(one: Shards, two: Shards, *, settings: WorkerSettings) -> Overhead:
    """Print the speed-up and the bytes; return what sharing costs."""
    bench = _bench(JOB, settings, shards=two)
    evaluators = [
        ShardedEvaluator(shards, "search", images=SEARCH, batch=bench.batch, options=bench.options)
        for shards in (one, two)
    ]
    seconds: dict[str, list[float]] = {"one": [], "two": []}
    for _ in range(TURNS):
        for name, evaluate in zip(seconds, evaluators, strict=True):
            began = time.perf_counter()
            for allocation in _tried(bench):
                list(evaluate(allocation))
            seconds[name].append(time.perf_counter() - began)
    speedups = [a / b for a, b in zip(seconds["one"], seconds["two"], strict=True)]
    told = {"images": SEARCH, "seconds_one": median(seconds["one"])}
    _print("speedup_of_two_shards", median(speedups), least=min(speedups), **told)
    # the last broadcast of a pass, and the first small ones, cannot be shared evenly
    _print("speedup_that_the_rounds_allow", numbers_allow(SEARCH, bench.batch, shards=2))
    nothing = {0: {"numbers": [], "split": "search"}}
    empty = median(_timed(lambda: one.each("correct", nothing)) for _ in range(200))
    _print("seconds_of_an_empty_broadcast", empty)
    largest = 0
    for allocation in _tried(bench):
        sent = len(pickle.dumps((allocation, bench.options.known(allocation.items()))))
        largest = max(largest, sent)
        _, option = next(iter(allocation.items()))
        _print("bytes_of_a_broadcast", sent, points=len(bench.network.points), option=str(option))
    return Overhead(empty, largest)


def _tried(bench: Workbench) -> list[BitAllocation]:
    return [BitAllocation.uniform(bench.network.points, option) for option in ALLOCATIONS]


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _bench(job: JobSpec, settings: WorkerSettings, *, shards: Shards | None = None) -> Workbench:
    around, models = surroundings(settings), open_models(settings.model_root)
    loaded = workbench.opened(job, models=models, around=around, device=CPU)
    return workbench.calibrated(
        job, loaded, around=around, device=CPU, batch=settings.batch, shards=shards
    )


def numbers_allow(images: int, batch: int, *, shards: int) -> float:
    """Return the speed-up of a pass if its seconds were those of its images alone."""
    sizes = rounds.sizes(images, batch)
    windows = [sizes[start : start + shards] for start in range(0, len(sizes), shards)]
    return images / sum(max(window) for window in windows)


def worked_out(overhead: Overhead) -> None:
    """Print what a trial takes on ever more GPUs, and what that is made of."""
    needed, propose = _search()
    early = [images for images in needed if images is not None]
    told = {"median_images": median(early), "seconds_to_propose": round(propose, 4)}
    _print("trials_that_end_early", len(early) / len(needed), **told)
    of_trials = [_rounds(images) for images in needed]
    alone = sum(propose + count * (overhead.broadcast + ROUND_SECONDS) for count in of_trials)
    for shards in (1, 2, 4, 8, 16, 32, 64):
        broadcasts = [-(-count // shards) for count in of_trials]
        seconds = sum(propose + b * (overhead.broadcast + ROUND_SECONDS) for b in broadcasts)
        _print(
            "gpus",
            shards,
            speedup=round(alone / seconds, 2),
            seconds_a_trial=round(seconds / len(needed), 3),
            broadcasts_a_trial=round(sum(broadcasts) / len(needed), 2),
            rounds_that_count=round(sum(of_trials) / (shards * sum(broadcasts)), 3),
            share_of_proposing=round(propose * len(needed) / seconds, 3),
            share_of_broadcasts=round(overhead.broadcast * sum(broadcasts) / seconds, 3),
            megabytes_sent_a_second=round(overhead.bytes * shards * len(needed) / seconds / 1e6, 3),
        )


def _rounds(images: int | None) -> int:
    """Return in how many rounds of the large split a trial ends; None: it sees every image."""
    if images is None:
        return len(rounds.sizes(LARGE_SPLIT, BATCH))
    return len(rounds.sizes(images, BATCH))


def _search() -> tuple[list[int | None], float]:
    """Return how many images the trials of a real search saw, None: all; and seconds to propose."""
    job = JobSpec(model="digits-vgg", dataset="digits", tolerance=0.02)
    with tempfile.TemporaryDirectory() as folder:
        bench = _bench(job, WorkerSettings(cache_dir=Path(folder)))
        evaluator = bench.evaluator(bench.dataset.search)
        search = resolution.resolve(job, bench, evaluator=evaluator)
        evaluating = 0.0

        def timed(allocation: BitAllocation) -> Iterator[Any]:
            nonlocal evaluating
            found = iter(evaluator(allocation))
            while True:
                began = time.perf_counter()
                hits = next(found, None)
                evaluating += time.perf_counter() - began
                if hits is None:
                    return
                yield hits

        began = time.perf_counter()
        trials = list(study.run(search, timed))
        propose = (time.perf_counter() - began - evaluating) / len(trials)
    return [None if trial.complete else trial.hits.images for trial in trials], propose


def _print(figure: str, value: float, **told: Any) -> None:
    line = {"benchmark": "sharding", "figure": figure, "value": round(value, 5), **told}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
