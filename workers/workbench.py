"""A network on its device, calibrated, with an evaluator per split: what one job works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import torch

from search import cost
from search.baseline import Baseline
from search.preprocessing import settled
from search.quantization.calibration import PASSES
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.spec import METRICS
from search.spec import JobSpec
from search.spec import SearchSpec
from service.store.values import Setup
from workers import measured
from workers import menus
from workers import splits
from workers.data import Dataset
from workers.data import Split
from workers.datasets import catalog
from workers.datasets.source import Surroundings
from workers.evaluators.evaluator import Evaluator
from workers.evaluators.local import LocalEvaluator
from workers.fit import require_fit
from workers.loaded import on_device
from workers.memory import Room
from workers.models.registry import Models
from workers.shards import measured as by_shards
from workers.shards.evaluator import ShardedEvaluator
from workers.shards.shards import Shards

PLOTTED_BINS = 128  # per histogram kept for plots


@dataclass(frozen=True, eq=False)
class Workbench:
    """Everything about a job that does not depend on what was tried so far."""

    network: CapturedNetwork
    dataset: Dataset
    calibration: Calibration
    options: FittedOptions
    batch: int
    #: an image is a hit if its label is among so many largest logits
    top: int
    #: where sensitivities are kept
    sensitivities: Path
    #: may interrupt what takes long
    room: Room
    #: who evaluates in this process's stead; None: it does so itself
    shards: Shards | None = None

    @property
    def calibration_images(self) -> int:
        """Images evaluated to calibrate; weights take none."""
        observed = any(point.name in self.calibration.histograms for point in self.network.points)
        return PASSES * len(self.dataset.calibration) if observed else 0

    @property
    def device(self) -> str:
        """The kind of device that evaluates."""
        return self.options.device.type if self.shards is None else self.shards.device

    def evaluator(self, split: Split) -> Evaluator:
        """Return an evaluator for the split; costs one float pass over it."""
        name = self.dataset.name_of(split)
        if self.shards is not None and name is not None:
            return ShardedEvaluator(
                self.shards, name, images=len(split), batch=self.batch, options=self.options
            )
        return LocalEvaluator(
            self.network,
            split,
            options=self.options,
            batch=self.batch,
            top=self.top,
            room=self.room,
        )


def opened(
    job: JobSpec, *, models: Models, around: Surroundings, device: torch.device
) -> tuple[CapturedNetwork, Dataset]:
    """Load, decode and capture what the request names.

    Raises UnknownModel, UnknownDataset, CorruptWeights, UnusableData, MismatchedData, InvalidSpec,
    UnsupportedNetwork, and what `around.check` raises.
    """
    loaded = models.load(job.model, job.weights)
    preprocessing = settled(job.preprocessing, loaded.preprocessing)
    data = catalog.read(job.dataset, around, preprocessing=preprocessing)
    dataset = splits.dataset(data, job, preprocessing=preprocessing, device=device)
    model = on_device(loaded.network, device)
    require_fit(job, model, dataset=dataset)
    # two images: a batch of one would be taken for a constant by torch.export
    example, _ = next(dataset.calibration.batches(2))
    return capture(model, example), dataset


def prepare(
    job: JobSpec, *, models: Models, around: Surroundings, device: torch.device, batch: int
) -> Workbench:
    """Load, decode, capture and calibrate what the request names.

    Raises what `opened` does and what `calibrated` does.
    """
    loaded = opened(job, models=models, around=around, device=device)
    return calibrated(job, loaded, around=around, device=device, batch=batch)


def calibrated(  # noqa: PLR0913 - what is calibrated, where, by whom, and how much of it at once
    job: JobSpec,
    loaded: tuple[CapturedNetwork, Dataset],
    *,
    around: Surroundings,
    device: torch.device,
    batch: int,
    shards: Shards | None = None,
) -> Workbench:
    """Calibrate what `opened` returned, or have the shards of it do so.

    Raises NonFiniteActivations, UnknownPoint and EmptySearchSpace.
    """
    network, dataset = loaded
    # before anything that takes long: a rule for a point that is not there ends the job
    offered = menus.of(job, network)
    bounds = menus.upper_bounds(job, offered)
    room = Room(batch, around.check)
    calibration = _calibration(job, loaded, menus=offered, room=room, shards=shards)
    calibration = replace(calibration, upper_bounds=bounds)
    options = FittedOptions(calibration, device)
    return Workbench(
        network,
        dataset,
        calibration,
        options,
        batch,
        METRICS[job.metric],
        around.cache / "sensitivities",
        room,
        shards,
    )


def _calibration(
    job: JobSpec,
    loaded: tuple[CapturedNetwork, Dataset],
    *,
    menus: Mapping[str, Menu],
    room: Room,
    shards: Shards | None,
) -> Calibration:
    network, dataset = loaded
    split = dataset.calibration
    if shards is None:
        return measured.calibration(network, split, menus=menus, kinds=job.kinds, room=room)
    return by_shards.calibration(
        shards, network, images=len(split), batch=room.batch, menus=menus, kinds=job.kinds
    )


def baseline(job: JobSpec, evaluator: Evaluator) -> Baseline:
    """Return the float model and the floor on the evaluator's split."""
    return Baseline(
        images=evaluator.images, correct=evaluator.float_correct, tolerance=job.tolerance
    )


def setup(search: SearchSpec, calibration: Calibration) -> Setup:
    """Return what readers need to scale trials and to plot what is quantized."""
    return Setup(
        baseline=search.baseline,
        points=search.points,
        histograms={
            point: {"low": h.low, "high": h.high, "counts": h.coarse(PLOTTED_BINS)}
            for point, h in calibration.histograms.items()
        },
        float_cost=cost.float_cost(search.minimized),
    )


def choose_device(name: str) -> torch.device:
    """Return the named device; "auto" is CUDA if there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
