"""One search: yields one TrialResult per trial, each a function of the spec and the trials before.

Nothing is stored here. Whoever iterates records each result; handing the recorded ones back as
`history` continues the search as if it had never stopped.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from search import lin  # noqa: F401  # registers its sampler
from search import optuna_samplers  # noqa: F401  # registers its samplers
from search import samplers
from search.allocation import BitAllocation
from search.errors import RoundsEndedEarly
from search.front import Decides
from search.front import Races
from search.pareto import pareto_front
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from search.uniform import UniformLadder

_ATTEMPTS = 8  # proposals asked of the sampler before the neighbourhood is walked instead


def run(
    spec: SearchSpec, evaluate: Evaluate, *, history: Sequence[TrialResult] = ()
) -> Iterator[TrialResult]:
    """Yield the trials after `history` until the budget or the search space is used up.

    No allocation is evaluated twice, but one that an earlier search left undecided. Trials of an
    earlier search, which come first, are no part of the budget. A trial stops as soon as its
    verdict is clear; if the goal is the front, as soon as it is dominated.
    """
    proposer = _Proposer(spec)
    races = Races(spec)
    for trial in history:
        proposer.learn(trial)
        races.learn(trial)
    for number in range(len(history), len(history) + _left(spec, history)):
        proposal = proposer.propose(number)
        memory_bits = spec.cost(proposal.allocation)
        race = races.race(memory_bits)
        hits, verdict = _raced(race, evaluate(proposal.allocation))
        trial = TrialResult(
            number=number,
            allocation=proposal.allocation,
            origin=proposal.origin,
            memory_bits=memory_bits,
            hits=hits,
            complete=hits.images == spec.baseline.images,
            constraint=race.constraint(hits),
            verdict=verdict,
        )
        proposer.learn(trial)
        races.learn(trial)
        yield trial


def _left(spec: SearchSpec, history: Sequence[TrialResult]) -> int:
    """Return how many trials there will be after these."""
    own = sum(not trial.earlier for trial in history)
    decided = sum(trial.decided for trial in history)
    return max(0, min(spec.budget - own, spec.size - decided))


def _raced(race: Decides, rounds: Iterable[Hits]) -> tuple[Hits, Verdict]:
    """Return the hits up to the round in which the verdict was clear, and the verdict."""
    total = Hits()
    for hits in rounds:
        total += hits
        verdict = race.decide(total)
        if verdict is not None:
            return total, verdict
    raise RoundsEndedEarly(total.images)


class _Proposer:
    """Uniform allocations first where the sampler wants them, then the sampler, then neighbours."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec
        self._sampler = samplers.create(spec)
        self._ladder = None if self._sampler.starts_itself else UniformLadder(spec)
        self._seen: set[BitAllocation] = set()
        self._best: TrialResult | None = None
        self._front: tuple[TrialResult, ...] = ()

    def learn(self, trial: TrialResult) -> None:
        if trial.decided:
            self._seen.add(trial.allocation)
        if self._ladder is not None:
            self._ladder.learn(trial)
        self._sampler.learn(trial)
        if trial.feasible and (self._best is None or trial.memory_bits < self._best.memory_bits):
            self._best = trial
        self._front = pareto_front((*self._front, trial), goal=self._spec.goal)

    def propose(self, number: int) -> Proposal:
        """Return what to try next.

        If the goal is the floor, prefer what would store fewer bits than the best so far.
        """
        uniform = self._ladder.propose(self._seen) if self._ladder is not None else None
        if uniform is not None:
            return Proposal(uniform, "uniform")
        for attempt in range(_ATTEMPTS):
            proposal = self._sampler.propose(number=number, attempt=attempt)
            if proposal.allocation not in self._seen and self._improves(proposal):
                return proposal
        return self._fallback(number)

    def _improves(self, proposal: Proposal) -> bool:
        if self._best is None or self._spec.goal == "front" or proposal.insures:
            return True
        return self._spec.cost(proposal.allocation) < self._best.memory_bits

    def _fallback(self, number: int) -> Proposal:
        """Return the unseen neighbour just below the centre, else any unseen allocation."""
        centre = self._centre(number)
        if centre is not None:
            cost = self._spec.cost
            fresh = [a for a in neighbours(self._spec, centre) if a not in self._seen]
            if cheaper := [a for a in fresh if cost(a) < cost(centre)]:
                # the smallest step down is the likeliest to lose little
                return Proposal(max(cheaper, key=cost), "neighbour")
        unseen = next(a for a in enumerate_space(self._spec) if a not in self._seen)
        return Proposal(unseen, "enumeration")

    def _centre(self, number: int) -> BitAllocation | None:
        """Return the best allocation, of a front every one in turn."""
        if self._spec.goal == "front" and self._front:
            return self._front[number % len(self._front)].allocation
        return self._best.allocation if self._best else None


def neighbours(spec: SearchSpec, allocation: BitAllocation) -> Iterator[BitAllocation]:
    """Yield every allocation that differs in one variable, in network and menu order."""
    for variable in spec.variables:
        for option in variable.menu:
            changed = allocation.replace(variable.points, option)
            if changed != allocation:
                yield changed


def enumerate_space(spec: SearchSpec) -> Iterator[BitAllocation]:
    """Yield every allocation of the space, counting up in mixed radix over the menus."""
    for index in range(spec.size):
        options = []
        rest = index
        for variable in spec.variables:
            rest, choice = divmod(rest, len(variable.menu))
            options.append(variable.menu[choice])
        yield spec.allocation(options)
