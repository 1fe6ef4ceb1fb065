"""A job as an Optuna study: what it is called, what it optimizes, what people read beside it."""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.distributions import CategoricalDistribution
from optuna.distributions import IntDistribution
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy

from search import cost
from search.rules import Menu
from service.dashboard.study_ids import study_id
from service.store.values import Job

BITS_PER_KIB = 8 * 1024
DIRECTIONS = (StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE)
#: what is minimized -> what its axis is called, and one of its units in bits or operations
_COSTS = {
    cost.WEIGHT_MEMORY: ("memory (KiB)", BITS_PER_KIB),
    cost.TOTAL_MEMORY: ("memory (KiB)", BITS_PER_KIB),
    cost.BIT_OPERATIONS: ("giga bit operations per image", 10**9),
}


def cost_metric(job: Job) -> tuple[str, int]:
    """Return what the job's costs are called, and the bits or bit operations of their unit."""
    return _COSTS.get(job.submission.spec.minimizes, ("memory (KiB per image)", BITS_PER_KIB))


def metric_names(job: Job) -> tuple[str, str]:
    """Return the names of the two objectives."""
    return cost_metric(job)[0], "accuracy"


def frozen_study(job: Job, *, note: str = "") -> FrozenStudy:
    """Return the job as the dashboard lists it; later changes of the job do not reach it.

    The note is Markdown for the study's own page.
    """
    return FrozenStudy(
        study_name=study_name(job),
        direction=None,
        directions=DIRECTIONS,
        user_attrs=_user_attrs(job),
        system_attrs=_system_attrs(job, note),
        study_id=study_id(job.id),
    )


def study_name(job: Job) -> str:
    """Return model, dataset, tolerance and the random end of the id: readable and unique."""
    spec = job.submission.spec
    return f"{spec.model} on {spec.dataset}, tolerance {spec.tolerance:g} ({job.id[-8:]})"


def search_space(job: Job) -> dict[str, BaseDistribution]:
    """Return the parameters of every trial: per point its bits, and its quantizer if it varies.

    The bits are integers, so that plots have an ordered axis; a point that stays in float32 in
    some trial has no parameters there.
    """
    if job.setup is None:
        return {}
    points = job.setup.points
    space: dict[str, BaseDistribution] = {}
    for point, menu in zip(points, job.submission.spec.menus(points), strict=True):
        if menu:
            space |= _parameters(point.name, menu)
    return space


def bits_name(point: str) -> str:
    """Return the parameter that holds the point's bit-width."""
    return f"{point} bits"


def quantizer_name(point: str) -> str:
    """Return the parameter that holds the point's quantizer."""
    return f"{point} quantizer"


def _parameters(point: str, menu: Menu) -> dict[str, BaseDistribution]:
    widths = {option.bit_width for option in menu}
    quantizers = sorted({option.quantizer for option in menu})
    bits = {bits_name(point): IntDistribution(low=min(widths), high=max(widths))}
    if len(quantizers) == 1:
        return {**bits}
    return {**bits, quantizer_name(point): CategoricalDistribution(quantizers)}


def _user_attrs(job: Job) -> dict[str, Any]:
    spec = job.submission.spec
    attrs: dict[str, Any] = {
        "state": job.state.value,
        "stage": job.stage,
        "trials": f"{job.progress.trials} of {spec.budget}",
        "model": spec.model,
        "dataset": spec.dataset,
        "tolerance": spec.tolerance,
        "confidence": spec.confidence,
        "target": spec.target,
        "objective": spec.minimizes,
        "goal": spec.goal,
        "sampler": spec.sampler,
        "seed": spec.seed,
        "job": job.id,
    }
    if job.setup is not None:
        attrs["float accuracy"] = job.setup.baseline.accuracy
        attrs["accuracy floor"] = job.setup.baseline.floor
        name, unit = cost_metric(job)
        attrs[f"float32 {name}"] = job.setup.float_bits / unit
    if job.taken is not None:
        attrs["from job"] = job.submission.from_job
        attrs["trials taken over"] = job.taken.trials
    if job.error is not None:
        attrs["error"] = job.error.message
    return attrs | {f"label {key}": value for key, value in job.submission.labels.items()}


def _system_attrs(job: Job, note: str) -> dict[str, Any]:
    attrs: dict[str, Any] = {"study:metric_names": list(metric_names(job))}
    # the dashboard's own keys; it shows a note from version 1 on
    return attrs | ({"dashboard:note_ver": 1, "dashboard:note_str:0": note} if note else {})
