"""The ladder is the best of all, where all depend on the same luck."""

import itertools

import numpy as np
import pytest

from search.ladder import RUNGS
from search.ladder import STEADY
from search.ladder import gains
from search.ladder import ladder


def expected(rungs: tuple[int, ...], likely: list[float], saved: list[float]) -> float:
    """Return what a ladder saves if the luck is common: all rungs pass that are as likely."""
    steps = zip((0.0, *(saved[i] for i in rungs)), (saved[i] for i in rungs), strict=False)
    return sum(
        STEADY**k * likely[i] * (after - before)
        for k, (i, (before, after)) in enumerate(zip(rungs, steps, strict=True))
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_other_row_is_expected_to_save_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    likely = rng.random(7).tolist()
    saved = rng.uniform(-2, 10, 7).tolist()
    found = tuple(ladder(likely, saved))
    of_all = max(
        expected(row, likely, saved)
        for size in range(1, RUNGS + 1)
        for row in itertools.permutations(range(7), size)
        if all(likely[i] > likely[j] and saved[i] < saved[j] for i, j in itertools.pairwise(row))
    )
    assert expected(found, likely, saved) == pytest.approx(of_all)
    assert [likely[i] for i in found] == sorted((likely[i] for i in found), reverse=True)


def test_a_simulated_ladder_saves_what_is_expected_of_it() -> None:
    likely, saved = [0.99, 0.9, 0.6, 0.3, 0.05], [2.0, 3.0, 5.0, 6.0, 7.0]
    luck = np.random.default_rng(0).random((20_000, 1))
    # a rung fails for want of luck, or, one in fifty, for a reason of its own
    steady = np.random.default_rng(1).random((20_000, 5)) < STEADY
    passed = (luck < likely) & np.where(np.arange(5) > 0, steady[:, [0, 0, 1, 2, 3]], True)
    reached = np.cumprod(passed, axis=1).sum(axis=1)
    got = np.where(reached > 0, np.array(saved)[reached - 1], 0.0).mean()
    assert got == pytest.approx(expected((0, 1, 2, 3, 4), likely, saved), abs=0.03)


def test_it_has_no_more_rungs_than_are_paid_for() -> None:
    likely, saved = np.linspace(1, 0, 50).tolist(), np.linspace(0, 1, 50).tolist()
    assert len(ladder(likely, saved)) == RUNGS


def test_a_rung_that_is_no_likelier_than_a_smaller_one_is_left_out() -> None:
    assert ladder([0.5, 0.5, 0.4], [1.0, 2.0, 1.5]) == [1]


def test_where_nothing_saves_the_likeliest_stands_alone() -> None:
    assert ladder([0.2, 0.7, 0.7], [-3.0, -1.0, 0.0]) == [1]


class TestGains:
    @pytest.mark.parametrize("rungs", range(RUNGS + 1))
    def test_it_is_what_the_best_ladder_with_the_new_one_saves_more(self, rungs: int) -> None:
        rng = np.random.default_rng(rungs)
        standing = [*zip(np.sort(rng.random(rungs))[::-1], np.sort(rng.random(rungs)), strict=True)]
        likely, saved = rng.random(50), rng.random(50)
        found = gains(likely, saved, standing=standing)
        assert (found > 0).any()
        for new, gain in zip(zip(likely, saved, strict=True), found, strict=True):
            sizes = {min(rungs, RUNGS - 1), max(rungs - 1, 0)}
            rooms = [room for size in sizes for room in itertools.combinations(standing, size)]
            rows = [standing, *(worthwhile([*room, new]) for room in rooms)]
            best = max(expected(tuple(range(len(row))), *unzipped(row)) for row in rows)
            before = expected(tuple(range(rungs)), *unzipped(standing))
            assert gain == pytest.approx(best - before)

    def test_where_nothing_stands_it_is_what_is_saved_times_how_likely(self) -> None:
        found = gains(np.array([0.3, 0.5]), np.array([200.0, -1.0]), standing=())
        assert found.tolist() == pytest.approx([60.0, 0.0])

    def test_a_near_copy_of_a_rung_gains_next_to_nothing(self) -> None:
        standing = [(0.9, 200.0), (0.5, 300.0)]
        smaller, larger = gains(np.array([0.5, 0.5]), np.array([301.0, 299.0]), standing=standing)
        assert 0 < smaller <= 0.5
        assert larger == 0

    def test_what_insures_a_rung_that_may_fail_gains_much(self) -> None:
        (found,) = gains(np.array([0.99]), np.array([250.0]), standing=[(0.5, 300.0)])
        assert found == pytest.approx(0.99 * 250 + STEADY * 0.5 * 50 - 0.5 * 300)


def worthwhile(rungs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the rungs that none both likelier and smaller makes pointless, the likeliest first."""
    return sorted(
        (a for a in rungs if not any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in rungs)),
        reverse=True,
    )


def unzipped(rungs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [likely for likely, _ in rungs], [saved for _, saved in rungs]
