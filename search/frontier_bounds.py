"""Lower bounds on totals from the convex hull, and what they rule out of a partial sum."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.frontier_fold import Costs
from search.frontier_fold import Indices
from search.frontier_fold import Limit
from search.frontier_fold import Menu
from search.frontier_fold import Places
from search.frontier_fold import Scores
from search.frontier_fold import Sums
from search.frontier_fold import non_dominated

#: multipliers that partial sums are priced with; more prune more, and take longer to set up
MOST_MULTIPLIERS = 128
#: of the largest total: what rounding may add to a sum
ROUNDING = 1e-11


@dataclass(frozen=True, slots=True)
class Window:
    """The budgets that matter, both included."""

    low: int
    high: int


def lower_hull(costs: Costs, scores: Scores) -> Indices:
    """Return the corners of the lower convex hull of points by ascending cost."""
    corners: list[int] = []
    x, y = costs.tolist(), scores.tolist()
    for i in range(len(x)):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            corners.pop()
        corners.append(i)
    return np.array(corners, dtype=np.int64)


def hull_sums(menus: Sequence[Menu]) -> Sums:
    """Return the totals on the lower convex hull of all totals.

    The hull of a sum of sets is the sum of their hulls: from the cheapest options, each step takes
    what gains most per cost in any one menu (Sinha & Zoltners, Operations Research 27(3), 1979).
    """
    hulls = [lower_hull(menu.costs, menu.scores) for menu in menus]
    owner = np.concatenate([np.full(len(hull) - 1, i) for i, hull in enumerate(hulls)])
    place = np.concatenate([hull[1:] for hull in hulls])
    cost = np.concatenate([np.diff(m.costs[h]) for m, h in zip(menus, hulls, strict=True)])
    score = np.concatenate([np.diff(m.scores[h]) for m, h in zip(menus, hulls, strict=True)])
    steepest = np.argsort(score / cost, kind="stable")
    places = np.zeros((len(steepest) + 1, len(menus)), dtype=np.int32)
    for row, step in enumerate(steepest, start=1):
        places[row] = places[row - 1]
        places[row, owner[step]] = place[step]
    return Sums(*totals(menus, places), places)


def totals(menus: Sequence[Menu], places: Places) -> tuple[Costs, Scores]:
    """Return what places (n, menus) sum up to, added in the order of the menus."""
    costs, scores = np.zeros(len(places), dtype=np.int64), np.zeros(len(places))
    for i, menu in enumerate(menus):
        costs += menu.costs[places[:, i]]
        scores += menu.scores[places[:, i]]
    return costs, scores


def union(first: Sums, second: Sums) -> Sums:
    """Return what no total of either dominates; of equal ones that of the first."""
    costs = np.concatenate([first.costs, second.costs])
    scores = np.concatenate([first.scores, second.scores])
    kept = non_dominated(costs, scores)
    places = np.concatenate([first.places, second.places])[kept]
    return Sums(costs[kept], scores[kept], places)


def limits(menus: Sequence[Menu], hull: Sums, *, known: Sums, window: Window) -> Iterator[Limit]:
    """Yield, for each prefix of the menus, which of its sums may still beat what is known.

    With a multiplier λ >= 0 no total within a budget C that goes on from a partial sum (c, s) can
    score less than s + λ·(c - C) + Σ min (score + λ·cost) over the menus to come. For the budgets
    between two corners of the hull, λ is the slope of the hull there. A sum is ruled out when this
    lies above the known score for every budget of the window: no non-dominated total is lost.
    """
    ends, slopes = _intervals(hull, window)
    budgets = _budgets(known, window, ends=ends)
    prices = _scores_at(known, budgets) + slopes[np.searchsorted(ends, budgets)] * budgets
    starts = np.searchsorted(budgets, ends[:-1], side="right")
    highest = np.maximum.reduceat(prices, np.append(0, starts))
    # (menus, multipliers): what each menu adds at the least
    least = np.array([np.min(m.scores[:, None] + m.costs[:, None] * slopes, axis=0) for m in menus])
    to_come = np.cumsum(least[::-1], axis=0)[::-1] - least
    slack = ROUNDING * float(known.scores[0])
    dearest = np.cumsum([menu.costs[-1] for menu in menus])
    for i in range(len(menus)):
        # per multiplier a straight line that falls with the cost; a sum has to lie below one
        lines = highest - to_come[i]
        corners = _corners(lines, slopes, dearest=int(dearest[i]))
        scores = np.max(lines - corners[:, None] * slopes, axis=1)
        yield Limit(window.high, corners, scores + slack)


def relative_gap(hull: Sums, *, known: Sums, window: Window) -> float:
    """Return by which share of the least possible score the known ones may be too high."""
    budgets = _budgets(known, window, ends=np.array([window.high]))
    scores = _scores_at(known, budgets)
    excess = scores - np.interp(budgets, hull.costs, hull.scores)
    # where the bound is 0 so is the score, or nothing is proven
    shares = np.divide(
        excess, scores - excess, out=np.full(len(scores), np.inf), where=scores > excess
    )
    return float(np.max(np.where(scores == 0, 0.0, shares), initial=0.0))


def _intervals(hull: Sums, window: Window) -> tuple[Costs, Scores]:
    """Cut the window at corners of the hull: where the parts end, and how steeply it falls there.

    The falls are positive, score per cost.
    """
    inside = hull.costs[(hull.costs > window.low) & (hull.costs < window.high)]
    if len(inside) >= MOST_MULTIPLIERS:
        inside = inside[np.linspace(0, len(inside) - 1, MOST_MULTIPLIERS - 1).astype(np.int64)]
    ends = np.append(inside, window.high)
    if window.low < window.high:
        edges = np.append(window.low, ends)
    else:
        # one budget: the edge of the hull that holds it
        after = int(np.clip(np.searchsorted(hull.costs, window.high), 1, len(hull.costs) - 1))
        edges = hull.costs[after - 1 : after + 1]
    heights = np.interp(edges, hull.costs, hull.scores)
    return ends, -np.diff(heights) / np.diff(edges)


def _budgets(known: Sums, window: Window, *, ends: Costs) -> Costs:
    """Return the budgets at which the known scores are the hardest to defend, ascending."""
    steps = known.costs[1:] - 1
    steps = steps[(steps >= window.low) & (steps <= window.high)]
    return np.unique(np.concatenate([steps, ends]))


def _scores_at(known: Sums, budgets: Costs) -> Scores:
    return known.scores[np.searchsorted(known.costs, budgets, side="right") - 1]


def _corners(lines: Scores, slopes: Scores, *, dearest: int) -> Scores:
    """Return where the highest of the lines may change, from cost 0 to the dearest.

    Between corners the highest is convex, so that joining them up rules out too little at worst.
    """
    turns = np.diff(slopes)
    crossing = np.diff(lines)[turns != 0] / turns[turns != 0]
    inside = crossing[(crossing > 0) & (crossing < dearest)]
    return np.unique(np.concatenate([[0.0], inside, [float(dearest)]]))
