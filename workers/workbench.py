"""A network on its device, calibrated, with an evaluator per split: what one job works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import torch

from search import cost
from search import paired
from search import samplers
from search.allocation import Kind
from search.errors import CertificateOutOfReach
from search.preprocessing import settled
from search.quantization.calibration import PASSES
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.sensitivity import Sensitivity
from search.sensitivity import joined
from search.sensitivity import missing
from search.spec import MEASURED
from search.spec import METRICS
from search.spec import Baseline
from search.spec import Certificate
from search.spec import JobSpec
from search.spec import SearchSpec
from service.store.values import Setup
from workers import measured
from workers import menus
from workers import objectives
from workers import sensitivity
from workers import splits
from workers.data import Dataset
from workers.data import Split
from workers.datasets import catalog
from workers.datasets.source import Surroundings
from workers.evaluators.local import LocalEvaluator
from workers.fit import require_fit
from workers.loaded import on_device
from workers.memory import Room
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
    #: an image is a hit if its label is among so many largest logits
    top: int
    #: where sensitivities are kept
    sensitivities: Path
    #: may interrupt what takes long
    room: Room

    @property
    def calibration_images(self) -> int:
        """Images evaluated to calibrate; weights take none."""
        observed = any(point.name in self.calibration.histograms for point in self.network.points)
        return PASSES * len(self.dataset.calibration) if observed else 0

    def evaluator(self, split: Split) -> LocalEvaluator:
        """Return an evaluator for the split; costs one float pass over it."""
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


def calibrated(
    job: JobSpec,
    loaded: tuple[CapturedNetwork, Dataset],
    *,
    around: Surroundings,
    device: torch.device,
    batch: int,
) -> Workbench:
    """Calibrate what `opened` returned.

    Raises NonFiniteActivations, UnknownPoint and EmptySearchSpace.
    """
    network, dataset = loaded
    # before anything that takes long: a rule for a point that is not there ends the job
    offered = menus.of(job, network)
    bounds = menus.upper_bounds(job, offered)
    room = Room(batch, around.check)
    calibration = measured.calibration(
        network, dataset.calibration, menus=offered, kinds=job.kinds, room=room
    )
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
    )


def resolve(
    job: JobSpec,
    bench: Workbench,
    *,
    evaluator: LocalEvaluator,
    known: Sensitivity | None = None,
) -> SearchSpec:
    """Return the search that the request stands for; `known` is not measured again.

    Raises CertificateOutOfReach, ToleranceOutOfRange, and UnsupportedNetwork for an objective that
    the network has no facts for.
    """
    network = bench.network
    quantizes_activations = Kind.ACTIVATION in job.kinds
    options = menus.of(job, network)
    return SearchSpec(
        points=network.all_points(job.kinds),
        menus=tuple(options.values()),
        objective=objectives.objective(job.minimizes, network),
        ties=network.structure.joins if job.tie == "join" and quantizes_activations else (),
        certificate=_certificate(job, images=len(bench.dataset.certification)),
        goal=job.goal,
        baseline=baseline(job, evaluator),
        sampler=job.sampler,
        budget=job.budget,
        seed=job.seed,
        sensitivity=_sensitivity(bench, options, known=known)
        if job.sampler in samplers.INFORMED
        else None,
    )


def _sensitivity(
    bench: Workbench, options: Mapping[str, Menu], *, known: Sensitivity | None
) -> Sensitivity:
    """Return what every option is expected to do; what is not known of them is measured."""
    quantized = {point: menu for point, menu in options.items() if menu}
    if known is None:
        return _measured(bench, quantized)
    lacking = missing(quantized, known)
    if not lacking:
        return known
    return joined(quantized, known, measured=_measured(bench, lacking))


def _measured(bench: Workbench, quantized: Mapping[str, Menu]) -> Sensitivity:
    """Return what these options are expected to do, measured unless it was before."""
    images = sensitivity.sample(bench.dataset.calibration)
    name = sensitivity.key(
        bench.network, images, calibration=bench.calibration, menus=quantized, top=bench.top
    )
    return sensitivity.kept(
        bench.sensitivities,
        name,
        make=lambda: measured.sensitivity(
            bench.network,
            images,
            options=bench.options,
            menus=quantized,
            top=bench.top,
            room=bench.room,
        ),
    )


def _certificate(job: JobSpec, *, images: int) -> Certificate | None:
    if job.confidence == MEASURED:
        return None
    fewest = paired.fewest_images(job.tolerance, job.confidence)
    if fewest is None or fewest > images:
        raise CertificateOutOfReach(
            job.tolerance, job.confidence, images=images, fewest=fewest or 0
        )
    return Certificate(images=images, confidence=job.confidence)


def baseline(job: JobSpec, evaluator: LocalEvaluator) -> Baseline:
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
