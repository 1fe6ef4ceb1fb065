"""Sensitivity and an exact solver alone, in the manner of NVIDIA's Model Optimizer.

Every budget of bits has the allocation of least total score within it. Nothing looks at accuracy
until it is chosen; here the budgets are walked from the smallest up until one holds.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.search.sensitivity import Scores
from search import frontier
from search.allocation import BitAllocation
from search.spec import SearchSpec

#: bits per value between two budgets
STEP = 0.1


def family(spec: SearchSpec, scores: Scores) -> Iterator[BitAllocation]:
    """Yield the best allocation of every budget, smallest first, without repeats.

    The price must be a sum over the variables, as activation memory is.
    """
    elements = {point.name: point.elements for point in spec.points}
    solved = frontier.solve(
        frontier.Choices(
            costs=tuple(
                np.array([sum(elements[p] for p in v.points) * o.bit_width for o in v.menu])
                for v in spec.variables
            ),
            scores=tuple(
                np.array([sum(scores[p, o] for p in v.points) for o in v.menu])
                for v in spec.variables
            ),
        )
    )
    values = sum(elements.values())
    budgets = np.arange(1, 16, STEP) * values
    chosen = dict.fromkeys(solved.below(int(budget)) for budget in budgets)
    for index in chosen:
        if index is not None:
            picks = zip(spec.variables, solved.pick(index), strict=True)
            yield spec.allocation([variable.menu[pick] for variable, pick in picks])
