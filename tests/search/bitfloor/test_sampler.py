"""The sampler serves any Optuna study, as its docstring shows, and tells who thought of what."""

import re
from textwrap import dedent

import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from search import study as searches
from search.bitfloor import sampler as module
from search.bitfloor.outset import Outset
from search.bitfloor.sampler import PATIENCE
from search.bitfloor.sampler import BitfloorSampler
from search.optuna_space import RESULT
from search.optuna_space import Space
from search.optuna_space import noted
from search.trial import TrialResult
from tests.search.bitfloor.simulated import Simulated
from tests.search.bitfloor.simulated import trial as made

SEARCH = Simulated()
SPEC = SEARCH.spec()
OUTSET = Outset.of(SPEC)
SPACE = Space(SPEC)


def told(study: optuna.Study) -> TrialResult:
    """Carry out one trial of a study outside of our own search."""
    asked = study.ask(dict(SPACE.distributions))
    allocation = SPACE.decode(asked.params)
    result = made(SPEC, allocation, SEARCH.hits(allocation), number=asked.number)
    asked.set_user_attr(RESULT, noted(result))
    study.tell(asked, result.memory_bits)
    return result


class TestInAPlainStudy:
    def test_the_docstrings_example_runs_as_it_is_written(self) -> None:
        (example,) = re.findall(r"\n\n((?:    .*\n)+)", module.__doc__ or "")
        assert "result = ..." in example
        body = re.sub(r"result = \.\.\..*", "result = evaluated(trial)", dedent(example))
        names = {
            **vars(module),
            "optuna": optuna,
            "spec": SPEC,
            "RESULT": RESULT,
            "noted": noted,
            "evaluated": lambda asked: made(
                SPEC,
                SPACE.decode(asked.params),
                SEARCH.hits(SPACE.decode(asked.params)),
                number=asked.number,
            ),
        }
        exec(body, names)  # noqa: S102  # our own docstring
        (finished,) = names["study"].trials
        assert finished.state is TrialState.COMPLETE
        assert finished.value == SPEC.cost(SPACE.decode(finished.params))

    def test_a_few_trials_save_most_of_what_can_be_saved(self) -> None:
        study = optuna.create_study(sampler=BitfloorSampler(OUTSET))
        results = [told(study) for _ in range(10)]
        ours = min(one.memory_bits for one in results if one.feasible)
        search = searches.run(SEARCH.spec(budget=25), SEARCH.evaluate)
        assert ours <= 1.03 * min(one.memory_bits for one in search if one.feasible)
        assert len({one.allocation for one in results}) == 10

    def test_it_learns_from_trials_that_others_proposed(self) -> None:
        alone, taught = (optuna.create_study(sampler=BitfloorSampler(OUTSET)) for _ in range(2))
        first = told(alone)
        taught.add_trial(SPACE.trial(first))
        assert told(taught).allocation == told(alone).allocation

    def test_trials_without_a_note_teach_it_nothing(self) -> None:
        study = optuna.create_study(sampler=BitfloorSampler(OUTSET))
        for state in (TrialState.FAIL, TrialState.PRUNED):
            study.tell(study.ask(dict(SPACE.distributions)), state=state)
        proposed = SPACE.decode(study.ask(dict(SPACE.distributions)).params)
        fresh = optuna.create_study(sampler=BitfloorSampler(OUTSET))
        assert proposed == SPACE.decode(fresh.ask(dict(SPACE.distributions)).params)

    def test_a_parameter_of_somebody_elses_is_drawn_by_the_fallback(self) -> None:
        study = optuna.create_study(sampler=BitfloorSampler(OUTSET))
        asked = study.ask(dict(SPACE.distributions))
        assert 0 <= asked.suggest_float("learning_rate", 0, 1) <= 1


class TestOrigins:
    def test_every_trial_has_one(self) -> None:
        sampler = BitfloorSampler(OUTSET)
        study = optuna.create_study(sampler=sampler)
        for _ in range(4):
            told(study)
        assert list(sampler.origins) == [0, 1, 2, 3]
        assert sampler.origins[0] == "frontier"
        assert set(sampler.origins.values()) <= {"frontier", "correction", "exploration", "lin"}


class TestTurn:
    @pytest.mark.parametrize("attempt", [0, PATIENCE - 1, PATIENCE, PATIENCE + 3])
    def test_who_asks_too_often_is_sent_to_the_fallback(self, attempt: int) -> None:
        fallback = RandomSampler(seed=3)
        sampler = BitfloorSampler(OUTSET, turn=(0, attempt), fallback=fallback)
        study = optuna.create_study(sampler=sampler)
        asked = study.ask(dict(SPACE.distributions))
        assert sampler.origins[asked.number] == ("frontier" if attempt < PATIENCE else "tpe")

    def test_a_turn_is_what_is_drawn_by(self) -> None:
        history = list(searches.run(SEARCH.spec(budget=6), SEARCH.evaluate))
        found = []
        for turn in ((7, 0), (7, 0), (8, 0), (7, 1)):
            study = optuna.create_study(sampler=BitfloorSampler(OUTSET, turn=turn))
            for one in history:
                study.add_trial(SPACE.trial(one))
            found.append(SPACE.decode(study.ask(dict(SPACE.distributions)).params))
        assert found[0] == found[1]
        assert not {one.allocation for one in history} & {*found}
