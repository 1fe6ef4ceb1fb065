"""Decides trials of a search for the whole front: stopped once dominated, else seen to the end.

A trial is dominated if one that is complete, and needs no more memory, has at least as many images
right on the whole search split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from search.baseline import Baseline
from search.racing import Race
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict


class Decides(Protocol):
    """What a study asks while a trial is evaluated."""

    def decide(self, hits: Hits) -> Verdict | None:
        """Return the verdict if these images settle it."""
        ...

    def constraint(self, hits: Hits) -> float:
        """Return how far the trial is from the floor; at most 0: it holds."""
        ...


@dataclass(frozen=True, eq=False)
class FrontRace:
    """What a trial on a search split has to show to be seen to the end."""

    #: for the floor; decides on all images
    floor: Race
    #: for one image more than the best rival has right; None: there is no rival
    rival: Race | None

    def decide(self, hits: Hits) -> Verdict | None:
        """Return DOMINATED if that is certain or believed, the floor's verdict on all images."""
        if hits.images == self.floor.baseline.images:
            return self.floor.decide(hits)
        if self.rival is not None and self.rival.decide(hits) is Verdict.MISSED:
            return Verdict.DOMINATED
        return None

    def constraint(self, hits: Hits) -> float:
        """Return the share of the split's images that the floor asks to be lost no longer."""
        return self.floor.constraint(hits)


class Races:
    """The race of every trial in turn, by the goal of the search."""

    def __init__(self, spec: SearchSpec) -> None:
        self._floor = Race.of(spec.baseline, spec.certificate)
        self._goal = spec.goal
        self._complete: list[TrialResult] = []

    def learn(self, trial: TrialResult) -> None:
        """Take in a finished trial: a rival of those that need as much memory or more."""
        if trial.complete:
            self._complete.append(trial)

    def race(self, memory_bits: int) -> Decides:
        """Return what decides a trial of this memory."""
        if self._goal == "floor":
            return self._floor
        return FrontRace(self._floor, self._rival(memory_bits))

    def _rival(self, memory_bits: int) -> Race | None:
        correct = best_below(self._complete, memory_bits)
        return None if correct is None else ahead_of(correct, self._floor.baseline)


def best_below(complete: Sequence[TrialResult], memory_bits: int) -> int | None:
    """Return the most images that a trial of no more memory has right; None if there is none."""
    rivals = [trial.hits.correct for trial in complete if trial.memory_bits <= memory_bits]
    return max(rivals, default=None)


def ahead_of(correct: int, baseline: Baseline) -> Race:
    """Return the race for more images right than `correct`, on all of the split."""
    gained = np.arange(baseline.images + 1)
    most_lost = np.minimum(gained + baseline.correct - (correct + 1), baseline.images - gained)
    return Race(baseline=baseline, most_lost=most_lost)
