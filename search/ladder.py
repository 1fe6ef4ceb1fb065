"""Chooses which allocations are tested one after another, from the safest to the smallest.

They are tested in a fixed sequence that ends with the first failure (Maurer, Hothorn & Lehmacher
1995), so each of them may err with the whole error, and the last that passed is the answer.
"""

from collections.abc import Sequence

import numpy as np

from search.sensitivity import Reals

#: as many rungs at most: each that passes costs a pass over the certification split
RUNGS = 6
#: how likely a rung holds whose luck would suffice: not all of the luck is common
STEADY = 0.98


def ladder(likely: Sequence[float], saved: Sequence[float]) -> list[int]:
    """Return the indices of the ladder that is expected to save most, the likeliest first.

    `likely` says how likely each is to pass, alone; `saved` what it saves. All are tested on the
    same images, whose luck they share: a rung passes where a less likely one does. So rung i adds
    pᵢ·(sᵢ - sᵢ₋₁) to what is expected, times STEADY for every rung before it. An optimal ladder is
    found by dynamic programming over its last rung. Where nothing would save, the likeliest alone.
    """
    order = _worthwhile(likely, saved)
    ended: dict[int, tuple[float, list[int]]] = {-1: (0.0, [])}
    best: tuple[float, list[int]] = (0.0, [max(range(len(likely)), key=likely.__getitem__)])
    for rung in range(RUNGS):
        longer: dict[int, tuple[float, list[int]]] = {}
        for at, i in enumerate(order):
            for last, (expected, rungs) in ended.items():
                if last >= at:
                    continue
                more = saved[i] - (saved[order[last]] if last >= 0 else 0.0)
                value = expected + STEADY**rung * likely[i] * more
                if more > 0 and value > longer.get(at, (0.0, []))[0]:
                    longer[at] = (value, [*rungs, i])
        best = max([best, *longer.values()], key=lambda found: found[0])
        ended = longer
    return best[1]


def gains(likely: Reals, saved: Reals, *, standing: Sequence[tuple[float, float]]) -> Reals:
    """Return what each of some more trials alone adds to the expected saving, shape (trials,).

    `standing` is the ladder so far: of each rung how likely it passes and what it saves. Where it
    has all the rungs that are allowed, one has to make room.
    """
    shorter = [[*standing[:i], *standing[i + 1 :]] for i in range(len(standing))]
    ladders = shorter if len(standing) >= RUNGS else [standing, *shorter]
    nothing = np.zeros(1)
    before = _with(nothing, nothing, standing=standing)
    found: Reals = np.max([_with(likely, saved, standing=one) for one in ladders], axis=0) - before
    return np.maximum(found, 0.0)


def _with(likely: Reals, saved: Reals, *, standing: Sequence[tuple[float, float]]) -> Reals:
    """Return what a ladder is expected to save with each of some more rungs, shape (rungs,).

    A rung that another is both likelier and smaller than is left out.
    """
    expected, reached, steady = np.zeros(len(likely)), np.zeros(len(likely)), np.ones(len(likely))
    placed = np.zeros(len(likely), dtype=bool)
    # at the end a rung that passes never, before which all have their place
    for chance, saving in [*standing, (-1.0, 0.0)]:
        for now, p, s in (
            (~placed & (likely >= chance), likely, saved),
            (np.full(len(likely), chance > 0), chance, saving),
        ):
            up = now & (s > reached)
            expected += np.where(up, steady * p * (s - reached), 0.0)
            steady = np.where(up, STEADY * steady, steady)
            reached = np.where(up, s, reached)
        placed |= likely >= chance
    return expected


def _worthwhile(likely: Sequence[float], saved: Sequence[float]) -> list[int]:
    """Return those that none both likelier and smaller makes pointless, the likeliest first."""
    found: list[int] = []
    by_saving = sorted(range(len(saved)), key=lambda i: (-saved[i], -likely[i], i))
    for i in by_saving:
        if not found or likely[i] > likely[found[-1]]:
            found.append(i)
    return found[::-1]
