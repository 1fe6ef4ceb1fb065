"""The frontier holds exactly the non-dominated totals, and says how far off it is when thinned."""

import time
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint
from scipy.optimize import milp
from scipy.sparse import csr_array

from search import frontier
from search.frontier import Choices
from search.frontier import Frontier

#: values stored at the sixteen points of VGG-16
VGG_16 = (
    *[64 * 224 * 224] * 2,
    *[128 * 112 * 112] * 2,
    *[256 * 56 * 56] * 3,
    *[512 * 28 * 28] * 3,
    *[512 * 14 * 14] * 3,
    *(4096, 4096, 1000),
)


def choices(*variables: Sequence[tuple[int, float]]) -> Choices:
    """Return the choices among lists of (cost, score)."""
    return Choices(
        tuple(np.array([cost for cost, _ in options]) for options in variables),
        tuple(np.array([score for _, score in options], dtype=float) for options in variables),
    )


def network(sizes: tuple[int, ...], *, quantizers: int = 3, seed: int = 0) -> Choices:
    """Return scores that fall about fourfold with each of eight bits, as squared errors do."""
    rng = np.random.default_rng(seed)
    widths = np.tile(np.arange(1, 9), quantizers)
    return Choices(
        tuple(size * widths for size in sizes),
        tuple(
            rng.lognormal(sigma=1.5) * 4.0**-widths * rng.lognormal(sigma=0.4, size=len(widths))
            for _ in sizes
        ),
    )


def odd_sizes(count: int, *, seed: int = 0) -> tuple[int, ...]:
    """Return sizes without a common divisor, whose sums are nearly all different."""
    rng = np.random.default_rng(seed)
    return tuple(int(size) for size in np.exp(rng.uniform(2, 13, size=count)))


def every_total(given_: Choices) -> list[tuple[int, float, tuple[int, ...]]]:
    """Return cost, score and options of all combinations, by cost, then score, then options."""
    combinations = product(*(range(len(costs)) for costs in given_.costs))
    return sorted((*total(given_, options), options) for options in combinations)


def total(given_: Choices, options: tuple[int, ...]) -> tuple[int, float]:
    cost = sum(int(c[o]) for c, o in zip(given_.costs, options, strict=True))
    return cost, float(sum(s[o] for s, o in zip(given_.scores, options, strict=True)))


def best_at(given_: Choices, budget: int) -> float:
    """Return the least score within a budget, by integer programming."""
    lengths = [len(costs) for costs in given_.costs]
    one_each = csr_array(
        (np.ones(sum(lengths)), (np.repeat(np.arange(len(lengths)), lengths), range(sum(lengths))))
    )
    costs = np.concatenate(given_.costs)[None, :]
    solved = milp(
        np.concatenate(given_.scores),
        integrality=np.ones(sum(lengths)),
        bounds=(0, 1),
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(costs, -np.inf, budget)],
        options={"mip_rel_gap": 0.0},
    )
    assert solved.success
    return float(solved.fun)


def score_at(found: Frontier, budget: int) -> float:
    i = found.below(budget)
    assert i is not None
    return float(found.scores[i])


def is_exact(found: Frontier, given_: Choices) -> bool:
    """Return whether it is what trying every combination gives; scores are whole numbers."""
    expected: list[tuple[int, float]] = []
    for cost, score, _ in every_total(given_):
        if not expected or score < expected[-1][1]:
            expected.append((cost, score))
    return list(zip(found.costs.tolist(), found.scores.tolist(), strict=True)) == expected


# whole scores: sums are then exact in any order, and equal totals occur
options = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=4)
small = st.lists(options, min_size=1, max_size=5).map(lambda v: choices(*v))
#: every variable has costs 0 and 1, so that no variable is added before another
alike = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=2).map(
        lambda more: [(0, 3), (1, 1), *more]
    ),
    min_size=1,
    max_size=4,
).map(lambda v: choices(*v))


class TestSolve:
    @given(small)
    def test_it_is_exactly_the_non_dominated_totals(self, given_: Choices) -> None:
        found = frontier.solve(given_)
        assert is_exact(found, given_)
        assert found.gap == 0.0

    @given(small)
    def test_every_total_is_what_its_options_add_up_to(self, given_: Choices) -> None:
        found = frontier.solve(given_)
        for i in range(len(found)):
            assert total(given_, found.pick(i)) == (found.costs[i], found.scores[i])

    @given(small, st.integers(3, 6))
    def test_thinned_it_stays_within_the_gap_that_it_tells(
        self, given_: Choices, longest: int
    ) -> None:
        found = frontier.solve(given_, longest=longest)
        best = np.inf
        for cost, score, _ in every_total(given_):
            best = min(best, score)
            assert score_at(found, cost) <= best * (1 + found.gap) + 1e-9

    @given(small, st.integers(-5, 60), st.integers(0, 30))
    def test_a_window_answers_its_budgets_as_the_whole_does(
        self, given_: Choices, low: int, length: int
    ) -> None:
        whole = frontier.solve(given_)
        part = frontier.solve(given_, costs_between=(low, low + length))
        inside = (whole.costs <= low + length) & (whole.costs >= whole.costs[whole.below(low) or 0])
        assert part.costs.tolist() == whole.costs[inside].tolist()
        assert part.scores.tolist() == whole.scores[inside].tolist()

    @given(alike)
    def test_of_equal_totals_the_lowest_options_stay(self, given_: Choices) -> None:
        found = frontier.solve(given_)
        first: dict[tuple[int, float], tuple[int, ...]] = {}
        for cost, score, picked in every_total(given_):
            first.setdefault((cost, score), picked)
        for i in range(len(found)):
            assert found.pick(i) == first[found.costs[i], found.scores[i]]

    @pytest.mark.parametrize("seed", [0, 1])
    def test_it_agrees_with_integer_programming(self, seed: int) -> None:
        given_ = network(odd_sizes(20, seed=seed), seed=seed)
        found = frontier.solve(given_)
        assert found.gap < 0.01
        spread = np.linspace(found.costs[0], found.costs[-1] * 0.7, 6).astype(int)[1:]
        for budget in spread.tolist():
            best = best_at(given_, budget)
            assert best * (1 - 1e-6) <= score_at(found, budget) <= best * (1 + found.gap + 1e-6)
            near = frontier.solve(given_, costs_between=(budget, budget))
            assert near.gap == 0.0
            assert score_at(near, budget) == pytest.approx(best, rel=1e-6)

    def test_a_short_list_keeps_its_bound_on_a_large_network(self) -> None:
        given_ = network(VGG_16)
        exact = frontier.solve(given_)
        for longest in (50, 500, 5_000):
            thinned = frontier.solve(given_, longest=longest)
            at = np.searchsorted(thinned.costs, exact.costs, side="right") - 1
            worst = float(np.max(thinned.scores[at] / exact.scores)) - 1
            assert 0 < worst <= thinned.gap < 1

    def test_the_corners_of_the_hull_are_exact_however_short_the_lists(self) -> None:
        given_ = network(VGG_16)
        exact = frontier.solve(given_)
        thinned = frontier.solve(given_, longest=20)
        for i in exact.hull():
            found = score_at(thinned, int(exact.costs[i]))
            assert found == pytest.approx(exact.scores[i], rel=1e-9)

    def test_longer_lists_leave_a_smaller_gap(self) -> None:
        given_ = network(odd_sizes(30))
        gaps = [frontier.solve(given_, longest=n).gap for n in (100, 1_000, 10_000)]
        assert gaps == sorted(gaps, reverse=True)
        assert 0 < gaps[-1] < gaps[0]

    def test_the_same_choices_give_the_same_frontier(self) -> None:
        given_ = network(odd_sizes(30))
        one, other = (frontier.solve(given_, longest=500) for _ in range(2))
        assert one.costs.tobytes() == other.costs.tobytes()
        assert one.options.tobytes() == other.options.tobytes()

    def test_the_sixteen_points_of_vgg_are_solved_exactly_in_half_a_second(self) -> None:
        given_ = network(VGG_16)
        started = time.process_time()
        found = frontier.solve(given_)
        # about 0.03 s alone on one core
        assert time.process_time() - started < 0.5
        assert found.gap == 0.0

    def test_a_hundred_points_of_odd_sizes_are_solved_in_seconds(self) -> None:
        given_ = network(odd_sizes(100))
        started = time.process_time()
        found = frontier.solve(given_)
        # about 1 s alone on one core
        assert time.process_time() - started < 6
        assert found.gap < 0.01

    def test_nothing_is_found_below_the_cheapest_total(self) -> None:
        given_ = choices([(5, 1)], [(5, 1), (6, 0)])
        assert len(frontier.solve(given_, costs_between=(0, 9))) == 0
        assert frontier.solve(given_, costs_between=(0, 10)).costs.tolist() == [10]

    def test_scores_of_any_magnitude_are_kept_apart(self) -> None:
        scores = [(bits, 10.0 ** (6 - 2 * bits)) for bits in range(9)]
        found = frontier.solve(choices(scores, scores))
        assert found.costs.tolist() == [*range(17)]

    def test_costs_beyond_32_bits_add_up(self) -> None:
        found = frontier.solve(choices([(2**40, 1), (2**41, 0)], [(2**40, 1), (2**41 + 1, 0)]))
        assert found.costs.tolist() == [2**41, 2**40 + 2**41, 2**42 + 1]

    def test_what_cannot_be_asked_is_refused(self) -> None:
        given_ = choices([(0, 1)])
        with pytest.raises(ValueError, match="costs_between"):
            frontier.solve(given_, costs_between=(3, 2))
        with pytest.raises(ValueError, match="longest"):
            frontier.solve(given_, longest=2)


class TestChoices:
    @pytest.mark.parametrize(
        "costs, scores",
        [
            ((), ()),
            ((np.array([1]),), ()),
            ((np.array([1, 2]),), (np.array([1.0]),)),
            ((np.array([], dtype=int),), (np.array([]),)),
            ((np.array([1.5]),), (np.array([1.0]),)),
            ((np.array([1]),), (np.array([-1.0]),)),
            ((np.array([1]),), (np.array([np.nan]),)),
            ((np.array([1]),), (np.array([np.inf]),)),
        ],
        ids=["none", "no scores", "lengths", "empty", "fractions", "negative", "nan", "infinite"],
    )
    def test_what_cannot_be_added_up_is_refused(
        self, costs: tuple[np.ndarray, ...], scores: tuple[np.ndarray, ...]
    ) -> None:
        with pytest.raises(ValueError, match="variable"):
            Choices(costs, scores)


class TestFrontier:
    #: totals (0, 9), (1, 4), (2, 3), (3, 0)
    found = frontier.solve(choices([(0, 9), (1, 4), (2, 3), (3, 0), (3, 5)]))

    @pytest.mark.parametrize("cost, index", [(-1, None), (0, 0), (1, 1), (9, 3)])
    def test_below_a_cost_the_best_score_is_found(self, cost: int, index: int | None) -> None:
        assert self.found.below(cost) == index

    @pytest.mark.parametrize("score, index", [(10, 0), (9, 0), (8.9, 1), (3, 2), (0, 3)])
    def test_within_a_score_the_lowest_cost_is_found(self, score: float, index: int) -> None:
        assert self.found.within(score) == index

    def test_within_a_score_that_none_reaches_nothing_is_found(self) -> None:
        assert frontier.solve(choices([(0, 2), (1, 1)])).within(0.5) is None

    def test_the_hull_leaves_out_what_two_others_beat_on_average(self) -> None:
        assert self.found.hull().tolist() == [0, 1, 3]

    @given(small)
    def test_no_total_lies_below_the_hull(self, given_: Choices) -> None:
        found = frontier.solve(given_)
        hull = found.hull()
        line = np.interp(found.costs, found.costs[hull], found.scores[hull])
        assert (found.scores >= line - 1e-9).all()
        falls = np.diff(found.scores[hull]) / np.diff(found.costs[hull])
        assert (np.diff(falls) > 0).all()
