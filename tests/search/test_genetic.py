"""NSGA-II's generations follow from the order of the trials alone."""

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.trial import TrialState

from search.genetic import Nsga2

SIZE = 6
SPACE = {f"x{i}": IntDistribution(0, 99) for i in range(3)}


def study_of(trials: int, *, asked_between: int = 0) -> optuna.Study:
    """Return a study with some trials, of which Optuna asked for none."""
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=Nsga2(seed=0))
    for number in range(trials):
        for _ in range(asked_between):
            ask(study, seed=number)
        params = {f"x{i}": (7 * number + 3 * i) % 10 for i in range(3)}
        values = [float(params["x0"]), float(9 - params["x0"] + params["x1"] % 3)]
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=dict(SPACE), values=values)
        )
    return study


def ask(study: optuna.Study, *, seed: int) -> dict[str, int]:
    study.sampler = Nsga2(seed=seed, population_size=SIZE)
    asked = study.ask(fixed_distributions=dict(SPACE))
    study.tell(asked, state=TrialState.FAIL)
    return asked.params


class TestNsga2:
    @pytest.mark.parametrize("trials", [0, 5, 6, 7, 13, 25])
    def test_a_study_built_up_again_proposes_what_the_first_would_have(self, trials: int) -> None:
        uninterrupted, resumed = study_of(trials, asked_between=2), study_of(trials)
        for seed in range(5):
            assert ask(uninterrupted, seed=seed) == ask(resumed, seed=seed)

    def test_generations_are_the_trials_in_order(self) -> None:
        study = study_of(14, asked_between=1)
        sampler = Nsga2(seed=0, population_size=SIZE)
        told = study.get_trials(states=(TrialState.COMPLETE,))
        assert sampler.get_population(study, 0) == told[:6]
        assert sampler.get_population(study, 1) == told[6:12]
        assert sampler.get_trial_generation(study, told[0]) == 2

    def test_parents_are_the_least_dominated_so_far(self) -> None:
        study = study_of(13)
        parents = Nsga2(seed=0, population_size=SIZE).get_parent_population(study, 2)
        assert len(parents) == SIZE
        told = study.get_trials(states=(TrialState.COMPLETE,))[:12]
        best = {t.number for t in told if not any(dominates(o.values, t.values) for o in told)}
        chosen = {t.number for t in parents}
        assert best <= chosen or chosen <= best

    def test_children_are_made_of_their_parents(self) -> None:
        study = study_of(6)
        found = [ask(study, seed=seed) for seed in range(20)]
        parents = study.get_trials(states=(TrialState.COMPLETE,))
        inherited = [
            any(child[name] == parent.params[name] for parent in parents)
            for child in found
            for name in SPACE
        ]
        # but for mutations, one in three variables at most
        assert sum(inherited) >= 0.6 * len(inherited)


def dominates(a: list[float], b: list[float]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
