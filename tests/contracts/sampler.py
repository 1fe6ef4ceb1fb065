"""What every registered sampler promises; subclass and name it to test one of your own."""

from functools import cache
from typing import ClassVar

import pytest

from search import samplers
from search import study
from search.spec import SearchSpec
from search.trial import TrialResult
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec


@cache
def _uninterrupted(spec: SearchSpec) -> tuple[TrialResult, ...]:
    """Return a search to resume parts of; every part of the same one."""
    return tuple(study.run(spec, made_up_evaluate))


class SamplerContract:
    """Run by a subclass per sampler; `name` is the registered one."""

    name: ClassVar[str]
    #: False: it has no use for the seed
    draws: ClassVar[bool] = True
    #: trials of a search, the first twelve of which may be uniform; fewer where each takes seconds
    budget: ClassVar[int] = 40

    def spec(self, **changes: int) -> SearchSpec:
        return made_up_spec(sampler=self.name, **{"budget": self.budget, **changes})  # type: ignore[arg-type]  # ints only

    def test_proposals_stay_within_the_menus(self) -> None:
        spec = self.spec()
        sampler = samplers.create(spec)
        for number in range(30):
            proposed = dict(sampler.propose(number=number, attempt=0).allocation.items())
            assert list(proposed) == [point.name for point in spec.points]
            for point, menu in zip(spec.points, spec.menus, strict=True):
                assert proposed[point.name] in menu

    def test_the_same_seed_searches_alike_and_another_does_not_if_it_draws(self) -> None:
        first = [*_uninterrupted(self.spec())]
        assert first == list(study.run(self.spec(), made_up_evaluate))
        other = list(study.run(self.spec(seed=6), made_up_evaluate))
        assert (first != other) == self.draws

    @pytest.mark.parametrize("stopped_after", [0, 1, 7, 20, 33, 39, 40])
    def test_resumed_at_any_point_it_equals_the_uninterrupted(self, stopped_after: int) -> None:
        spec = self.spec()
        uninterrupted = _uninterrupted(spec)
        # what it had recorded until then: the same seed searches alike, as is tested above
        history = [*uninterrupted[: stopped_after * self.budget // 40]]
        resumed = history + list(study.run(spec, made_up_evaluate, history=history))
        assert resumed == [*uninterrupted]

    def test_the_budget_is_exact_and_nothing_is_evaluated_twice(self) -> None:
        budget = 3 * self.budget // 2
        trials = list(study.run(self.spec(budget=budget), made_up_evaluate))
        assert [trial.number for trial in trials] == list(range(budget))
        assert len({trial.allocation for trial in trials}) == budget

    def test_asking_again_for_a_trial_gives_something_else(self) -> None:
        sampler = samplers.create(self.spec())
        proposals = {sampler.propose(number=3, attempt=attempt) for attempt in range(8)}
        assert len(proposals) > 1
