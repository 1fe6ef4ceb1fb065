"""A stored trial as an Optuna trial, feasible in Optuna's eyes exactly if it is in ours."""

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
from service.dashboard.studies import BITS_PER_KIB
from service.dashboard.studies import METRIC_NAMES
from service.dashboard.studies import bits_name
from service.dashboard.studies import quantizer_name
from service.store.values import StoredTrial

#: The form in which the dashboard reads feasibility (and Optuna still does): a list, all <= 0.
_CONSTRAINTS = "constraints"


def frozen_trial(stored: StoredTrial, space: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """Return the trial; `space` holds a distribution per parameter, shared, never changed.

    A trial that was stopped early is PRUNED and without values: its accuracy covers part of the
    images and cannot stand beside the others. (With values, the dashboard draws it into the
    Pareto plot as a faint mark.) What was seen of it is among its attributes. A trial that missed
    the floor on all images is COMPLETE with a constraint above 0, so that plots show it in grey.
    """
    result = stored.result
    params = _params(stored, space)
    values = [result.memory_bits / BITS_PER_KIB, result.hits.accuracy]
    return FrozenTrial(
        number=result.number,
        trial_id=result.number,
        state=TrialState.COMPLETE if result.complete else TrialState.PRUNED,
        value=None,
        values=values if result.complete else None,
        datetime_start=_utc(stored.finished_at - stored.seconds),
        datetime_complete=_utc(stored.finished_at),
        params=params,
        distributions={name: space[name] for name in params},
        user_attrs={
            "verdict": _verdict(result),
            "origin": result.origin,
            **dict(zip(METRIC_NAMES, values, strict=True)),
            "images": result.hits.images,
            "drop": result.hits.drop,
            "seconds": stored.seconds,
        },
        # the second says: not every image was looked at, so nothing was shown to hold
        system_attrs={_CONSTRAINTS: [result.constraint, 0.0 if result.complete else 1.0]},
        intermediate_values={},
    )


def _verdict(result: TrialResult) -> str:
    if not result.complete:
        return "stopped early: the floor was out of reach"
    return "held the floor" if result.feasible else "missed the floor"


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
