"""The search that a request stands for, once there is a workbench for it."""

from collections.abc import Mapping

from search import paired
from search import samplers
from search.allocation import Kind
from search.baseline import Certificate
from search.errors import CertificateOutOfReach
from search.rules import Menu
from search.sensitivity import Sensitivity
from search.sensitivity import joined
from search.sensitivity import missing
from search.spec import MEASURED
from search.spec import JobSpec
from search.spec import SearchSpec
from workers import measured
from workers import menus
from workers import objectives
from workers import sensitivity
from workers import workbench
from workers.evaluators.evaluator import Evaluator
from workers.shards import measured as by_shards
from workers.workbench import Workbench


def resolve(
    job: JobSpec,
    bench: Workbench,
    *,
    evaluator: Evaluator,
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
        baseline=workbench.baseline(job, evaluator),
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
        bench.network,
        images,
        calibration=bench.calibration,
        menus=quantized,
        top=bench.top,
        device=bench.device,
    )

    def make() -> Sensitivity:
        if bench.shards is not None:
            return by_shards.sensitivity(
                bench.shards, images=len(images), options=bench.options, menus=quantized
            )
        return measured.sensitivity(
            bench.network,
            images,
            options=bench.options,
            menus=quantized,
            top=bench.top,
            room=bench.room,
        )

    return sensitivity.kept(bench.sensitivities, name, make=make)


def _certificate(job: JobSpec, *, images: int) -> Certificate | None:
    if job.confidence == MEASURED:
        return None
    fewest = paired.fewest_images(job.tolerance, job.confidence)
    if fewest is None or fewest > images:
        raise CertificateOutOfReach(
            job.tolerance, job.confidence, images=images, fewest=fewest or 0
        )
    return Certificate(images=images, confidence=job.confidence)
