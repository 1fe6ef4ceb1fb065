"""A stored trial as an Optuna trial, feasible in Optuna's eyes as its job's goal has it."""

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.distributions import CategoricalDistribution
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial
from optuna.trial import TrialState

from search.trial import TrialResult
from search.trial import Verdict
from service.dashboard.studies import bits_name
from service.dashboard.studies import cost_metric
from service.dashboard.studies import metric_names
from service.dashboard.studies import quantizer_name
from service.store.values import Job
from service.store.values import Setup
from service.store.values import StoredTrial

_VERDICTS = {
    Verdict.HELD: "held the floor",
    Verdict.MISSED: "missed the floor",
    Verdict.DOMINATED: "dominated by another",
    Verdict.UNDECIDED: "not decided under this floor",
}
#: The form in which the dashboard reads feasibility (and Optuna still does): a list, all <= 0.
_CONSTRAINTS = "constraints"


def frozen_trial(
    stored: StoredTrial, setup: Setup, *, job: Job, space: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    """Return the trial; `space` holds a distribution per parameter, shared, never changed.

    A trial that missed before all images were seen is PRUNED and without values: its accuracy
    covers part of the images and cannot stand beside the others. (With values, the dashboard draws
    it into the Pareto plot as a faint mark.) What was seen of it is among its attributes. One that
    held is COMPLETE however soon it was decided, its accuracy estimated from the drop. A trial that
    missed on all images is COMPLETE with a constraint above 0, so that plots show it in grey. In a
    search for the front the floor is no constraint.
    """
    result = stored.result
    finished = result.complete or result.feasible
    params = _params(stored, space)
    accuracy = setup.accuracy(result.hits) if finished else result.hits.accuracy
    values = [result.memory_bits / cost_metric(job)[1], accuracy]
    return FrozenTrial(
        number=result.number,
        trial_id=result.number,
        state=TrialState.COMPLETE if finished else TrialState.PRUNED,
        value=None,
        values=values if finished else None,
        datetime_start=_utc(stored.finished_at - stored.seconds),
        datetime_complete=_utc(stored.finished_at),
        params=params,
        distributions={name: space[name] for name in params},
        user_attrs={
            "verdict": _verdict(result, of=setup.baseline.images),
            "origin": result.origin,
            **dict(zip(metric_names(job), values, strict=True)),
            "images": result.hits.images,
            "drop": result.hits.drop,
            "seconds": stored.seconds,
        },
        system_attrs={_CONSTRAINTS: _constraints(result, goal=job.submission.spec.goal)},
        intermediate_values={},
    )


def _constraints(result: TrialResult, *, goal: str) -> list[float]:
    if goal == "front" and result.complete:
        return [0.0, 0.0]
    return [result.constraint, _unshown(result)]


def _unshown(result: TrialResult) -> float:
    """Return 1 where nothing seen speaks against the trial and still it was not shown to hold."""
    return 0.0 if result.feasible or result.constraint > 0 else 1.0


def _verdict(result: TrialResult, *, of: int) -> str:
    told = _VERDICTS[result.verdict]
    return told if result.complete else f"{told}, after {result.hits.images:,} of {of:,} images"


def _params(stored: StoredTrial, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for point, config in stored.result.allocation.items():
        params[bits_name(point)] = config.bit_width
        params[quantizer_name(point)] = config.quantizer
    return {name: value for name, value in params.items() if _fits(value, space.get(name))}


def _fits(value: str | int, distribution: BaseDistribution | None) -> bool:
    # a value outside its distribution would fail the whole page, not only this trial
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    if isinstance(distribution, IntDistribution):
        return isinstance(value, int) and distribution.low <= value <= distribution.high
    return False


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
