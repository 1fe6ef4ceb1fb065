"""The ladder is the best of all, where all depend on the same luck."""

import itertools

import numpy as np
import pytest

from search.ladder import RUNGS
from search.ladder import STEADY
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
