"""NSGA-II that resumes exactly: a function of the trials in the study and of its seed."""

import optuna
from optuna.samplers import NSGAIISampler
from optuna.trial import FrozenTrial
from optuna.trial import TrialState

#: trials of a generation; a budget of 60 has three
POPULATION = 20


class Nsga2(NSGAIISampler):
    """Optuna's NSGA-II, whose generation g is made of the finished trials g·n to g·n + n - 1.

    Optuna notes on each trial that it asked for which generation it is of, and keeps the parents in
    the order in which they were chosen the first time only. Neither survives a study that is built
    up again from its history; here both follow from the order of the trials.
    """

    def __init__(self, *, seed: int, population_size: int = POPULATION) -> None:
        super().__init__(seed=seed, population_size=population_size)
        self._size = population_size

    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:  # noqa: ARG002  # Optuna's signature
        """Return the generation of the next trial."""
        return len(_finished(study)) // self._size

    def get_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the trials of a generation, in order."""
        return _finished(study)[generation * self._size : (generation + 1) * self._size]

    def get_parent_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the parents of a generation, in the order of their numbers."""
        parents = super().get_parent_population(study, generation)
        return sorted(parents, key=lambda trial: trial.number)


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
