"""The best total score for every total cost, when each variable takes one of its options.

A multiple-choice knapsack, solved for all budgets at once by dynamic programming over lists of
non-dominated sums (Nemhauser & Ullmann, Management Science 15(9), 1969). Lagrangian bounds rule out
partial sums that no completion makes non-dominated; a list that is still too long is thinned, with
a bound on what that costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search import frontier_bounds
from search.frontier_bounds import Window
from search.frontier_fold import Costs
from search.frontier_fold import Indices
from search.frontier_fold import Limit
from search.frontier_fold import Menu
from search.frontier_fold import Places
from search.frontier_fold import Scores
from search.frontier_fold import Sums
from search.frontier_fold import fold
from search.frontier_fold import non_dominated

#: sums with every option of the next variable that are compared in all: this many take seconds
MOST_SUMS = 60_000_000
#: sums in a list before it is thinned, however few the variables
LONGEST = 100_000
#: the same for the first pass, which only finds good totals to prune with
LONGEST_FIRST = 1_000
#: the cheapest sum, the best one, and one between them
FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What each variable may take: one array of costs and one of scores per variable.

    Raises ValueError unless the arrays of a variable are one-dimensional, of equal length, and not
    empty, and every score is finite and at least 0; and unless there is a variable.
    """

    #: int64 (k_v,) per variable, in any unit; totals must fit in 63 bits
    costs: tuple[Costs, ...]
    #: float64 (k_v,) per variable, lower is better
    scores: tuple[Scores, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.costs) == len(self.scores):
            raise ValueError(f"costs of {len(self.costs)} variables, scores of {len(self.scores)}")
        for v, (costs, scores) in enumerate(zip(self.costs, self.scores, strict=True)):
            if costs.ndim != 1 or costs.shape != scores.shape or not len(costs):
                raise ValueError(
                    f"variable {v}: costs {costs.shape} and scores {scores.shape} are to be "
                    "two lists of equal length, and not empty"
                )
            if not np.issubdtype(costs.dtype, np.integer):
                raise ValueError(f"variable {v}: costs are to be integers, not {costs.dtype}")
            if not (np.isfinite(scores) & (scores >= 0)).all():
                raise ValueError(f"variable {v}: a score is negative or not finite")


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Every total that no other beats: ascending in cost, strictly descending in score."""

    #: int64 (n,), in the unit of the choices
    costs: Costs
    #: float64 (n,)
    scores: Scores
    #: int32 (n, variables): the option that each variable takes
    options: Places
    #: at no budget is the score more than 1 + gap times the least possible; 0.0: exact
    gap: float

    def __len__(self) -> int:
        return len(self.costs)

    def pick(self, i: int) -> tuple[int, ...]:
        """Return the option of every variable in total i."""
        return tuple(self.options[i].tolist())

    def below(self, cost: int) -> int | None:
        """Return which total scores best at this cost or less; None if all cost more."""
        found = int(np.searchsorted(self.costs, cost, side="right")) - 1
        return found if found >= 0 else None

    def within(self, score: float) -> int | None:
        """Return which total costs least at this score or less; None if all score more."""
        found = int(np.searchsorted(-self.scores, -score, side="left"))
        return found if found < len(self) else None

    def hull(self) -> Indices:
        """Return which totals are corners of the lower convex hull, ascending, int64."""
        return frontier_bounds.lower_hull(self.costs, self.scores)


def solve(
    choices: Choices, *, costs_between: tuple[int, int] | None = None, longest: int | None = None
) -> Frontier:
    """Return the frontier of total cost against total score, with one option for each variable.

    With `costs_between=(low, high)`, both included, only the budgets in between are answered, and
    sooner: the first total is the best that costs `low` or less, if there is one; the last costs
    `high` at most. There is none when nothing is that cheap. `longest` bounds the lists of sums,
    hence time and memory; by default so that it takes seconds. If it is reached, `gap` says by how
    much scores may be too high; those at corners of the convex hull never are. Raises ValueError
    if low > high or longest < 3.

    The same choices give the same frontier. Of equal totals the one with the lowest option in the
    variable that was added last is kept, then in the last but one; of variables whose costs have
    the same common divisor the first is added last.
    """
    if longest is not None and longest < FEWEST:
        raise ValueError(f"longest: {longest} sums are too few, use {FEWEST} or more")
    reduced = [_menu(c, s) for c, s in zip(choices.costs, choices.scores, strict=True)]
    divisors = [math.gcd(*(menu.costs - menu.costs[0]).tolist()) for menu in reduced]
    unit = math.gcd(*divisors) or 1
    order = _order(divisors)
    menus = [_in_units(reduced[v], unit) for v in order]
    base = sum(int(menu.costs[0]) for menu in reduced)
    window = _window(menus, costs_between, base=base, unit=unit)
    found, gap = _solved(menus, window, longest=longest or _longest(menus))
    options = np.empty_like(found.places)
    for i, v in enumerate(order):
        options[:, v] = menus[i].options[found.places[:, i]]
    return Frontier(base + unit * found.costs, found.scores, options, gap)


def _menu(costs: Costs, scores: Scores) -> Menu:
    options = non_dominated(costs, scores)
    return Menu(costs[options].astype(np.int64), scores[options].astype(np.float64), options)


def _in_units(menu: Menu, unit: int) -> Menu:
    return Menu((menu.costs - menu.costs[0]) // unit, menu.scores, menu.options)


def _order(divisors: Sequence[int]) -> list[int]:
    """Return the variables in an order that keeps the lists short.

    The costs of sums are multiples of the common divisor of the variables so far. Variables that
    keep it large come first: the tensors of odd sizes, mostly small, come last.
    """
    order: list[int] = []
    left = set(range(len(divisors)))
    common = 0
    while left:
        nearest = max(left, key=lambda v: (math.gcd(common, divisors[v]) or math.inf, v))
        common = math.gcd(common, divisors[nearest])
        left.remove(nearest)
        order.append(nearest)
    return order


def _longest(menus: Sequence[Menu]) -> int:
    options = sum(len(menu.costs) for menu in menus)
    return max(LONGEST_FIRST, min(LONGEST, MOST_SUMS // options))


def _window(
    menus: Sequence[Menu], costs_between: tuple[int, int] | None, *, base: int, unit: int
) -> Window:
    """Return the budgets to answer in units above the cheapest total; high < 0 if none can be."""
    dearest = sum(int(menu.costs[-1]) for menu in menus)
    if costs_between is None:
        return Window(0, dearest)
    low, high = costs_between
    if low > high:
        raise ValueError(f"costs_between: {low} is more than {high}")
    return Window(
        min(max((low - base) // unit, 0), dearest),
        min((high - base) // unit, dearest),
    )


def _solved(menus: Sequence[Menu], window: Window, *, longest: int) -> tuple[Sums, float]:
    """Fold with the bounds that the hull gives, then with those that the first fold gives."""
    hull = frontier_bounds.hull_sums(menus)
    if window.high < 0:
        return _cut(hull, window), 0.0
    known = hull
    error = 0.0
    for length in sorted({min(LONGEST_FIRST, longest), longest}):
        limits = _limits(menus, hull, known=known, window=window)
        found, error = fold(menus, limits, longest=length)
        if not error:
            return _cut(found, window), 0.0
        # what a limit ruled out is no better than what was known, so that has to stay
        known = frontier_bounds.union(found, known)
    proven = frontier_bounds.relative_gap(hull, known=known, window=window)
    return _cut(known, window), min(error, proven)


def _limits(menus: Sequence[Menu], hull: Sums, *, known: Sums, window: Window) -> list[Limit]:
    if len(hull.costs) > 1:
        return [*frontier_bounds.limits(menus, hull, known=known, window=window)]
    # one total, nothing to rule out
    return [Limit(window.high, np.zeros(1), np.full(1, np.inf)) for _ in menus]


def _cut(sums: Sums, window: Window) -> Sums:
    """Leave out what no budget of the window needs."""
    first = max(int(np.searchsorted(sums.costs, window.low, side="right")) - 1, 0)
    last = int(np.searchsorted(sums.costs, window.high, side="right"))
    return Sums(sums.costs[first:last], sums.scores[first:last], sums.places[first:last])
