"""What every registered sampler promises; subclass and name it to test one of your own."""

from itertools import islice
from typing import ClassVar

import pytest

from search import samplers
from search import study
from search.spec import SearchSpec
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec


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
        first, again = (list(study.run(self.spec(seed=5), made_up_evaluate)) for _ in range(2))
        assert first == again
        other = list(study.run(self.spec(seed=6), made_up_evaluate))
        assert (first != other) == self.draws

    @pytest.mark.parametrize("stopped_after", [0, 1, 7, 20, 33, 39, 40])
    def test_resumed_at_any_point_it_equals_the_uninterrupted(self, stopped_after: int) -> None:
        spec = self.spec()
        stopped_after = stopped_after * self.budget // 40
        uninterrupted = list(study.run(spec, made_up_evaluate))
        history = list(islice(study.run(spec, made_up_evaluate), stopped_after))
        resumed = history + list(study.run(spec, made_up_evaluate, history=history))
        assert resumed == uninterrupted

    def test_the_budget_is_exact_and_nothing_is_evaluated_twice(self) -> None:
        budget = 3 * self.budget // 2
        trials = list(study.run(self.spec(budget=budget), made_up_evaluate))
        assert [trial.number for trial in trials] == list(range(budget))
        assert len({trial.allocation for trial in trials}) == budget

    def test_asking_again_for_a_trial_gives_something_else(self) -> None:
        sampler = samplers.create(self.spec())
        proposals = {sampler.propose(number=3, attempt=attempt) for attempt in range(8)}
        assert len(proposals) > 1
