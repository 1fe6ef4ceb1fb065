"""A network on its device, calibrated, with an evaluator per split: what one job works with."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.export import ExportedProgram

from search.quantization.calibration import PASSES
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.spec import Baseline
from search.spec import JobSpec
from search.spec import SearchSpec
from service.store.values import Setup
from workers.data import Dataset
from workers.data import Split
from workers.datasets import datasets
from workers.errors import MismatchedData
from workers.evaluators.local import LocalEvaluator
from workers.loaded import on_device
from workers.loaded import runnable
from workers.models.registry import Models

PLOTTED_BINS = 128  # per histogram kept for plots


@dataclass(frozen=True, eq=False)
class Workbench:
    """Everything about a job that does not depend on what was tried so far."""

    network: CapturedNetwork
    dataset: Dataset
    calibration: Calibration
    options: FittedOptions
    batch: int

    @property
    def calibration_images(self) -> int:
        """Images evaluated to calibrate."""
        return PASSES * len(self.dataset.calibration)

    def evaluator(self, split: Split) -> LocalEvaluator:
        """Return an evaluator for the split; costs one float pass over it."""
        return LocalEvaluator(self.network, split, options=self.options, batch=self.batch)


def prepare(job: JobSpec, *, models: Models, device: torch.device, batch: int) -> Workbench:
    """Load, capture and calibrate what the request names.

    Raises UnknownModel, UnknownDataset, CorruptWeights, MismatchedData, UnsupportedNetwork,
    NonFiniteActivations, UnknownPoint and EmptySearchSpace.
    """
    model = on_device(models.load(job.model, job.weights).network, device)
    dataset = placed(datasets.load(job.dataset), device, seed=job.seed)
    require_fit(job, model, dataset=dataset)
    # two images: a batch of one would be taken for a constant by torch.export
    network = capture(model, dataset.calibration.images[:2])
    # before anything that takes long: a rule for a point that is not there ends the job
    menus = _menus(job, network)
    calibration = calibrate(
        network,
        lambda: torch.split(dataset.calibration.images, batch),
        bit_widths=tuple(sorted({option.bit_width for menu in menus for option in menu})),
    )
    return Workbench(network, dataset, calibration, FittedOptions(calibration, device), batch)


def resolve(job: JobSpec, network: CapturedNetwork, *, evaluator: LocalEvaluator) -> SearchSpec:
    """Return the search that the request stands for; raises ToleranceOutOfRange."""
    return SearchSpec(
        points=network.points,
        menus=_menus(job, network),
        baseline=baseline(job, evaluator),
        sampler=job.sampler,
        budget=job.budget,
        seed=job.seed,
    )


def _menus(job: JobSpec, network: CapturedNetwork) -> tuple[Menu, ...]:
    return job.menus([point.name for point in network.points])


def baseline(job: JobSpec, evaluator: LocalEvaluator) -> Baseline:
    """Return the float model and the floor on the evaluator's split."""
    return Baseline(
        images=evaluator.images, correct=evaluator.float_correct, tolerance=job.tolerance
    )


def setup(search: SearchSpec, calibration: Calibration) -> Setup:
    """Return what readers need to scale trials and to plot activations."""
    return Setup(
        baseline=search.baseline,
        points=search.points,
        histograms={
            point: {"low": h.low, "high": h.high, "counts": h.coarse(PLOTTED_BINS)}
            for point, h in calibration.histograms.items()
        },
    )


def choose_device(name: str) -> torch.device:
    """Return the named device; "auto" is CUDA if there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def placed(dataset: Dataset, device: torch.device, *, seed: int) -> Dataset:
    """Return the splits on the device, the search split in a random order fixed by the seed.

    A trial is judged as its images come in, so their order must have nothing to do with them.
    """
    order = torch.randperm(len(dataset.search), generator=torch.Generator().manual_seed(seed))
    return Dataset(
        _moved(dataset.calibration, device),
        _moved(Split(dataset.search.images[order], dataset.search.labels[order]), device),
        _moved(dataset.certification, device),
    )


def _moved(split: Split, device: torch.device) -> Split:
    return Split(split.images.to(device), split.labels.to(device))


@torch.inference_mode()
def require_fit(job: JobSpec, model: nn.Module | ExportedProgram, *, dataset: Dataset) -> None:
    """Raise MismatchedData unless the model takes the images and knows every label."""
    example = dataset.calibration.images[:2]
    try:
        logits = runnable(model)(example)
    except RuntimeError as error:
        why = f"images of shape {tuple(example.shape[1:])}: {str(error).splitlines()[0]}"
        raise MismatchedData(job.model, job.dataset, why=why) from error
    largest = max(
        int(split.labels.max())
        for split in (dataset.calibration, dataset.search, dataset.certification)
    )
    if logits.shape[-1] <= largest:
        why = f"labels go up to {largest}, the model has {logits.shape[-1]} classes"
        raise MismatchedData(job.model, job.dataset, why=why)
