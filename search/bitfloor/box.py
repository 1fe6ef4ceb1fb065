"""How much an allocation is expected to add to what the front so far dominates.

The expected gain of hypervolume of Emmerich et al. (2006), of two objectives of which one, memory,
is known beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from search import cost
from search.pareto import pareto_front
from search.pareto import reference
from search.sensitivity import Reals
from search.spec import SearchSpec
from search.trial import TrialResult

_SQRT_TAU = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Box:
    """The front so far in the box whose volume it is to fill."""

    #: X and the accuracy from which on a trial counts
    high: float
    low: float
    #: of the float network
    float_cost: int
    #: (front,) ascending
    costs: Reals
    #: (front,) ascending, within low..high
    accuracies: Reals

    @classmethod
    def of(cls, spec: SearchSpec, trials: Sequence[TrialResult]) -> "Box":
        """Return the box of a search with its front."""
        found = pareto_front(trials, goal="front")
        low, high = reference(spec.baseline), spec.baseline.accuracy
        accuracies = np.array([trial.hits.accuracy for trial in found])
        return cls(
            high=high,
            low=low,
            float_cost=cost.float_cost(spec.minimized),
            costs=np.array([trial.memory_bits for trial in found], dtype=np.float64),
            accuracies=np.clip(accuracies, low, high),
        )

    def gain(self, costs: Reals, *, mean: Reals, deviation: Reals) -> Reals:
        """Return the expected gain of hypervolume, as a share of the box, shape (allocations,).

        The accuracy of each is normal. Over every step of the front, from its start (or the
        allocation's cost, if that is more) to its end, what is gained is what exceeds the step.
        """
        starts = np.array([0.0, *self.costs])
        ends = np.minimum([*self.costs, self.float_cost], self.float_cost)
        heights = np.array([self.low, *self.accuracies])
        widths = np.maximum(ends - np.maximum(starts, costs[:, None]), 0.0)
        excess = _excess(heights, mean=mean[:, None], deviation=deviation[:, None])
        # what exceeds X counts as X
        excess = excess - _excess(self.high, mean=mean[:, None], deviation=deviation[:, None])
        volume = self.float_cost * (self.high - self.low)
        found: Reals = (widths * excess).sum(axis=1) / volume
        return found


def _excess(height: Reals | float, *, mean: Reals, deviation: Reals) -> Reals:
    """Return by how much a normal deviate is expected to exceed a height, 0 where it does not."""
    distance = (mean - height) / deviation
    density = np.exp(-(distance**2) / 2) / _SQRT_TAU
    found: Reals = deviation * density + (mean - height) * ndtr(distance)
    return found
