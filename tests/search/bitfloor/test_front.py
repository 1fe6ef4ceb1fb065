"""Proposals spread over the range of memory first, then fill what is missing most."""

from dataclasses import replace
from itertools import pairwise

from search import cost
from search import study
from search.bitfloor.front import START
from search.bitfloor.front import FrontProposer
from search.bitfloor.outset import Outset
from search.pareto import hypervolume
from search.pareto import pareto_front
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_spec
from tests.contracts.noisy import NoisyNetwork


def front_spec(sampler: str = "bitfloor", *, seed: int = 0, budget: int = 20) -> SearchSpec:
    spec = replace(made_up_spec(sampler=sampler, seed=seed, budget=budget), goal="front")
    return replace(spec, sensitivity=NoisyNetwork(seed).sensitivity(spec))


def proposer_of(spec: SearchSpec, trials: list[TrialResult]) -> FrontProposer:
    outset = Outset.of(spec)
    proposer = FrontProposer(outset.landscape, outset.expectation, known=outset.known)
    for trial in trials:
        proposer.learn(trial)
    return proposer


def share(trials: list[TrialResult], spec: SearchSpec) -> float:
    found = pareto_front(trials, goal="front")
    return hypervolume(found, baseline=spec.baseline, float_cost=cost.float_cost(spec.minimized))


class TestFrontProposer:
    def test_the_first_trials_are_spread_from_no_loss_to_half_of_x(self) -> None:
        spec = front_spec(budget=START)
        trials = list(study.run(spec, NoisyNetwork(0).evaluate))
        assert {trial.origin for trial in trials} == {"frontier"}
        memory = sorted((trial.memory_bits for trial in trials), reverse=True)
        # each one corrects what the next is chosen by
        assert max(trial.hits.accuracy for trial in trials) > 0.98 * spec.baseline.accuracy
        assert trials[-1].hits.accuracy < 0.75 * spec.baseline.accuracy
        steps = [before - after for before, after in pairwise(memory)]
        assert max(steps) < 0.5 * (memory[0] - memory[-1])

    def test_it_is_a_function_of_the_trials_the_number_and_the_attempt(self) -> None:
        spec = front_spec()
        trials = list(study.run(spec, NoisyNetwork(0).evaluate))[:12]
        first, again = (proposer_of(spec, trials).propose(number=12, attempt=0) for _ in range(2))
        assert first == again
        assert first is not None
        assert first.allocation not in {trial.allocation for trial in trials}

    def test_a_gap_is_filled(self) -> None:
        spec = front_spec()
        trials = list(study.run(spec, NoisyNetwork(0).evaluate))
        front = sorted(pareto_front(trials, goal="front"), key=lambda t: t.memory_bits)
        left, right = front[2].memory_bits, front[-3].memory_bits
        # all that was found between two trials far apart is taken away again
        sparse = [t for t in trials if not left < t.memory_bits < right]
        proposal = proposer_of(spec, sparse).propose(number=20, attempt=0)
        assert proposal is not None
        assert left < spec.cost(proposal.allocation) < right

    def test_when_there_is_nothing_to_gain_it_proposes_nothing(self) -> None:
        spec = front_spec()
        spec = replace(spec, menus=tuple(menu[:2] for menu in spec.menus), budget=16)
        trials = list(study.run(replace(spec, sampler="random"), made_up_evaluate))
        assert len(trials) == spec.size
        assert proposer_of(spec, trials).propose(number=16, attempt=0) is None

    def test_on_a_small_network_it_comes_near_the_front_of_brute_force(self) -> None:
        spec = front_spec(budget=40)
        affine = tuple(tuple(o for o in menu if o.quantizer == "affine") for menu in spec.menus)
        spec = replace(spec, menus=affine)
        every = [
            TrialResult(
                number=i,
                allocation=allocation,
                origin="every",
                memory_bits=spec.cost(allocation),
                hits=sum(made_up_evaluate(allocation), Hits()),
                complete=True,
                constraint=0.0,
                verdict=Verdict.HELD,
            )
            for i, allocation in enumerate(study.enumerate_space(spec))
        ]
        found = list(study.run(spec, made_up_evaluate))
        assert share(found, spec) >= 0.995 * share(every, spec)

    def test_of_noisy_images_it_finds_in_ten_trials_what_tpe_does_not_in_thirty(self) -> None:
        for seed in range(3):
            ours, theirs = (
                list(study.run(front_spec(name, seed=seed, budget=budget), evaluate))
                for name, budget in (("bitfloor", 10), ("tpe", 30))
                for evaluate in (NoisyNetwork(seed).evaluate,)
            )
            assert share(ours, front_spec()) > share(theirs, front_spec())
