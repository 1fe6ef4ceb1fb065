"""Greedy mixed precision in the manner of AIMET, counted in full evaluations.

As AIMET describes its automatic mixed precision: one evaluation for each of the B options on all
L points, of which the most accurate is the baseline; phase 1, one for each point and other option,
all other points unquantized; phase 2, the options of phase 1 sorted by accuracy and applied one
after the other to the baseline, with a bisection for how many of them the floor allows. With the
float model that makes at most 1 + B + L(B - 1) + 2 + ⌈log2(L(B - 1) - 1)⌉ + 1 evaluations.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.spec import SearchSpec
from search.trial import TrialResult
from search.variables import Variable

#: (allocation, phase) -> its trial on every image
Evaluated = Callable[[BitAllocation, str], TrialResult]


@dataclass(frozen=True, slots=True)
class _Step:
    """One option of one variable, and how accurate the network is with nothing else quantized."""

    variable: Variable
    option: QuantizerConfig
    trial: TrialResult
    position: int

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The larger, the sooner it is applied: accuracy, then bits, then memory saved."""
        trial = self.trial
        return (trial.hits.correct, self.option.bit_width, -trial.memory_bits, -self.position)


def greedy(spec: SearchSpec, evaluated: Evaluated) -> Iterator[TrialResult]:
    """Yield every evaluation in order; the last is the answer."""
    uniform = []
    for option in sorted({option for variable in spec.variables for option in variable.menu}):
        trial = evaluated(_uniform(spec, option), "uniform")
        uniform.append((option, trial))
        yield trial
    baseline, best = max(uniform, key=lambda pair: pair[1].hits.correct)
    _, smallest = min(uniform, key=lambda pair: (pair[1].memory_bits, -pair[1].hits.correct))
    if smallest.feasible or not best.feasible:
        return
    steps = []
    for position, variable in enumerate(spec.variables):
        for option in variable.menu:
            if option != nearest(variable.menu, baseline):
                alone = BitAllocation.of(dict.fromkeys(variable.points, option))
                trial = evaluated(alone, "phase 1")
                steps.append(_Step(variable, option, trial, position))
                yield trial
    steps.sort(key=lambda step: step.rank, reverse=True)
    yield from _bisected(_uniform(spec, baseline), steps, evaluated)


def _uniform(spec: SearchSpec, option: QuantizerConfig) -> BitAllocation:
    return spec.allocation([nearest(variable.menu, option) for variable in spec.variables])


def _bisected(
    start: BitAllocation, steps: Sequence[_Step], evaluated: Evaluated
) -> Iterator[TrialResult]:
    """Yield the trials of a bisection for the last step at which the floor is held."""

    def after(count: int) -> BitAllocation:
        """Return the allocation once so many steps are applied; a later one overrides."""
        allocation = start
        for step in steps[:count]:
            allocation = allocation.replace(step.variable.points, step.option)
        return allocation

    held, missed = 1, len(steps)
    last, first = evaluated(after(missed), "phase 2"), None
    yield last
    if last.feasible:
        held = missed
    else:
        first = evaluated(after(held), "phase 2")
        yield first
    while first is not None and first.feasible and missed - held > 1:
        middle = (held + missed) // 2
        trial = evaluated(after(middle), "phase 2")
        yield trial
        held, missed = (middle, missed) if trial.feasible else (held, middle)
    nothing = first is not None and not first.feasible
    yield evaluated(after(0 if nothing else held), "answer")
