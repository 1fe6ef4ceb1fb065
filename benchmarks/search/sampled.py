"""Optuna's samplers as anybody would run them: every trial is a full evaluation."""

from collections.abc import Iterator
from dataclasses import replace

import optuna
from optuna.samplers import NSGAIISampler

from benchmarks.search.ground import Ground
from search import samplers
from search.trial import TrialResult

_FLOOR = "accuracy_floor"  # the constraint's name


def plain(ground: Ground, sampler: str, *, evaluations: int) -> Iterator[TrialResult]:
    """Yield the trials of a registered sampler left to itself."""
    own = samplers.create(replace(ground.search, sampler=sampler))
    for number in range(evaluations):
        proposal = own.propose(number=number, attempt=0)
        trial = ground.evaluated(proposal.allocation, number=number, origin=sampler)
        own.learn(trial)
        yield trial


def nsga2(ground: Ground, *, evaluations: int) -> Iterator[TrialResult]:
    """Yield the trials of NSGA-II (Deb et al. 2002) on memory, with the floor as a constraint.

    Each variable has a quantizer and a bit-width, as TPE is given them.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = [
        (v, sorted({o.quantizer for o in v.menu}), sorted({o.bit_width for o in v.menu}))
        for v in ground.search.variables
    ]
    study = optuna.create_study(sampler=NSGAIISampler(seed=ground.seed))
    for number in range(evaluations):
        asked = study.ask()
        chosen = []
        for variable, quantizers, widths in space:
            quantizer = asked.suggest_categorical(f"{variable.name}.quantizer", quantizers)
            width = widths[asked.suggest_int(f"{variable.name}.bit_width", 0, len(widths) - 1)]
            chosen.append(
                next(o for o in variable.menu if (o.quantizer, o.bit_width) == (quantizer, width))
            )
        allocation = ground.search.allocation(chosen)
        trial = ground.evaluated(allocation, number=number, origin="nsga2")
        asked.set_constraint(_FLOOR, trial.constraint)
        study.tell(asked, float(trial.memory_bits))
        yield trial
