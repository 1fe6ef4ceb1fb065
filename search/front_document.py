"""What a search for the front found, as plain JSON values."""

from collections.abc import Sequence
from typing import Any

from search import cost
from search.pareto import hypervolume
from search.pareto import pareto_front
from search.pareto import reference
from search.spec import SearchSpec
from search.trial import TrialResult

_BITS_PER_BYTE = 8


def front_document(search: SearchSpec, trials: Sequence[TrialResult]) -> dict[str, Any]:
    """Return the front, fewest bits first, and the share of the box that it dominates.

    `memory_bytes` is an eighth of what the search minimizes, as in the best document; accuracies
    are those on the search split, which the search has seen: they are measured, not certified.
    """
    found = pareto_front(trials, goal="front")
    float_cost = cost.float_cost(search.minimized)
    return {
        "hypervolume": hypervolume(found, baseline=search.baseline, float_cost=float_cost),
        "reference": {
            "accuracy": reference(search.baseline),
            "memory_bytes": float_cost / _BITS_PER_BYTE,
        },
        "trials": [
            {
                "trial": trial.number,
                "memory_bytes": trial.memory_bits / _BITS_PER_BYTE,
                "saved": 1 - trial.memory_bits / float_cost,
                "accuracy": trial.hits.accuracy,
                "drop": trial.hits.drop,
                "feasible": trial.feasible,
            }
            for trial in found
        ],
    }
