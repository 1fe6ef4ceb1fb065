"""Trials of an earlier search on the same images, judged anew by what this search asks.

A verdict rests on counts of images alone. The test behind it holds at whatever moment one stops,
and for every floor at once (see `racing`), so the counts that ended a trial under one floor may be
judged by another. Where they do not settle it, the trial is undecided.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import replace

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.front import Races
from search.spec import SearchSpec
from search.trial import EARLIER
from search.trial import TrialResult
from search.trial import Verdict

#: whether an option of a point rounds as it did in the earlier search
Same = Callable[[str, QuantizerConfig], bool]


def judged(
    trials: Iterable[TrialResult], spec: SearchSpec, *, same: Same
) -> tuple[TrialResult, ...]:
    """Return those that are trials of this search too, numbered from 0, in their order.

    That is, those whose allocation lies in its space and rounds as it did. Of several trials of
    one allocation the one that saw most images is told.
    """
    found = [
        replace(trial, number=number, memory_bits=spec.cost(trial.allocation), origin=EARLIER)
        for number, trial in enumerate(_taken(trials, spec, same=same))
    ]
    races = Races(spec)
    for trial in found:
        races.learn(trial)
    return tuple(_judged(trial, races) for trial in found)


def contains(spec: SearchSpec, allocation: BitAllocation) -> bool:
    """Return whether the search could propose the allocation."""
    options = [allocation.get(variable.points[0]) for variable in spec.variables]
    offered = [
        option
        for option, variable in zip(options, spec.variables, strict=True)
        if option is not None and option in variable.menu
    ]
    return len(offered) == len(options) and spec.allocation(offered) == allocation


def _taken(trials: Iterable[TrialResult], spec: SearchSpec, *, same: Same) -> Iterator[TrialResult]:
    furthest: dict[BitAllocation, TrialResult] = {}
    for trial in trials:
        known = furthest.get(trial.allocation)
        if known is None or known.hits.images < trial.hits.images:
            furthest[trial.allocation] = trial
    for allocation, trial in furthest.items():
        if contains(spec, allocation) and all(same(*chosen) for chosen in allocation.items()):
            yield trial


def _judged(trial: TrialResult, races: Races) -> TrialResult:
    race = races.race(trial.memory_bits)
    return replace(
        trial,
        constraint=race.constraint(trial.hits),
        verdict=race.decide(trial.hits) or Verdict.UNDECIDED,
    )
