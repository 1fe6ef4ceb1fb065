"""Sums of options, built up variable by variable, of which only the non-dominated are kept."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.int64]
Scores = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Menu:
    """One variable's options that no other of them dominates."""

    #: int64 (k,), ascending
    costs: Costs
    #: float64 (k,), strictly descending
    scores: Scores
    #: int64 (k,): where each stood before the dominated ones were left out
    options: Indices


@dataclass(frozen=True, slots=True)
class Limit:
    """Which partial sums may still become part of a non-dominated total."""

    #: no sum may cost more
    cost: int
    #: corners of a piecewise linear function of a sum's cost, ascending, float64 (b,)
    corners: Scores
    #: the largest score at each corner, float64 (b,)
    scores: Scores

    def allows(self, costs: Costs, scores: Scores) -> Indices:
        """Return the indices of the sums that are not ruled out, ascending."""
        within = np.interp(costs, self.corners, self.scores)
        return np.flatnonzero((scores <= within) & (costs <= self.cost))


@dataclass(frozen=True, slots=True)
class Sums:
    """Totals, none of which dominates another; one option of every menu in each."""

    #: int64 (n,), ascending
    costs: Costs
    #: float64 (n,), strictly descending
    scores: Scores
    #: int32 (n, menus): the chosen option's place in its menu
    places: Places


def non_dominated(costs: Costs, scores: Scores) -> Indices:
    """Return which points no other beats, by ascending cost; of equal points the first."""
    # stable: the runs of an outer sum are merged rather than sorted, and the first stays first
    order = np.argsort(costs, kind="stable")
    sorted_scores = scores[order]
    best = np.minimum.accumulate(sorted_scores)
    better = np.ones(len(order), dtype=bool)
    better[1:] = sorted_scores[1:] < best[:-1]
    order = order[better]
    kept = costs[order]
    # of equal costs the last one is better than those before it
    last = np.ones(len(order), dtype=bool)
    last[:-1] = kept[1:] != kept[:-1]
    return order[last]


def fold(menus: Sequence[Menu], limits: Iterable[Limit], *, longest: int) -> tuple[Sums, float]:
    """Return the non-dominated totals that the limits allow, and the error of thinning them.

    Limit i holds for the sums over `menus[: i + 1]`. A list of more than `longest` sums is thinned.
    Each total that no limit rules out has one among the returned ones that costs no more, and whose
    score is at most 1 + error times as high. Of equal totals the one with the lowest option of the
    last menu stays, then of the last but one, and so on.
    """
    costs, scores = np.zeros(1, dtype=np.int64), np.zeros(1)
    origins: list[Indices] = []
    error = 0.0
    for menu, limit in zip(menus, limits, strict=True):
        # flat (options, sums), the lowest option first
        rows = np.argsort(menu.options)
        all_costs = np.add.outer(menu.costs[rows], costs).ravel()
        all_scores = np.add.outer(menu.scores[rows], scores).ravel()
        origin = limit.allows(all_costs, all_scores)
        origin = origin[non_dominated(all_costs[origin], all_scores[origin])]
        if len(origin) > longest:
            kept, lost = thinned(all_scores[origin], longest=longest)
            origin = origin[kept]
            error = (1 + error) * (1 + lost) - 1
        costs, scores = all_costs[origin], all_scores[origin]
        origins.append(origin)
    return Sums(costs, scores, _places(menus, origins)), error


def thinned(scores: Scores, *, longest: int) -> tuple[Indices, float]:
    """Return the indices of at most `longest` of strictly descending scores, and the error of it.

    Each score has one of these before it, or in its place, that is at most 1 + error times as high.
    Of scores in the same interval of a geometric scale the first is kept, which costs least; so is
    the last of all. Epsilon-dominance: Papadimitriou & Yannakakis, FOCS 2000.
    """
    # only the last one can be 0, and that one is kept
    logs = np.log(scores[:-1])
    width = (logs[0] - logs[-1]) / max(longest - 2, 1) or 1.0
    interval = np.floor((logs[0] - logs) / width)
    first = np.flatnonzero(np.diff(interval, prepend=-1.0))
    # what is dropped lies between two that are kept, and is at worst the last before the next
    ends = np.append(first[1:], len(logs)) - 1
    error = float(np.max(scores[first] / scores[ends])) - 1
    return np.append(first, len(scores) - 1), error


def _places(menus: Sequence[Menu], origins: Sequence[Indices]) -> Places:
    """Follow every last sum back to the place chosen in each menu, (n, menus)."""
    index = np.arange(len(origins[-1]))
    places = np.empty((len(index), len(menus)), dtype=np.int32)
    for i in reversed(range(len(menus))):
        before = len(origins[i - 1]) if i else 1
        row, index = np.divmod(origins[i][index], before)
        places[:, i] = np.argsort(menus[i].options)[row]
    return places
