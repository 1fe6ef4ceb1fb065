"""Samplers propose allocations; each is registered by name and passes one contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from search.allocation import BitAllocation
from search.errors import UnknownSampler
from search.spec import SearchSpec
from search.trial import TrialResult


@dataclass(frozen=True, slots=True)
class Proposal:
    """An allocation to evaluate and who proposed it."""

    allocation: BitAllocation
    origin: str
    #: worth a trial even if a smaller one has held: that one may have been lucky
    insures: bool = False


class Sampler(Protocol):
    """Proposes the next allocation from what it was told so far.

    A proposal is a function of the spec, the trials learned in order, the trial's number and the
    attempt, and of nothing else: a sampler rebuilt from the history proposes what the
    uninterrupted one would have. It may propose what was evaluated before; the study asks again
    with the next attempt.
    """

    @property
    def starts_itself(self) -> bool:
        """Its first proposals are its own, not the uniform allocations."""
        ...

    def propose(self, *, number: int, attempt: int) -> Proposal:
        """Return an allocation within the spec's menus."""
        ...

    def learn(self, trial: TrialResult) -> None:
        """Take in one finished trial; trials come in the order of their numbers."""
        ...


#: samplers that start from a measured sensitivity
INFORMED = frozenset({"bitfloor"})

SamplerFactory = Callable[[SearchSpec], Sampler]

_FACTORIES: dict[str, SamplerFactory] = {}


def register(name: str) -> Callable[[SamplerFactory], SamplerFactory]:
    """Offer a factory under a name that requests can use."""

    def add(factory: SamplerFactory) -> SamplerFactory:
        _FACTORIES[name] = factory
        return factory

    return add


def registered() -> tuple[str, ...]:
    """Return the names of all samplers, sorted."""
    return tuple(sorted(_FACTORIES))


def create(spec: SearchSpec) -> Sampler:
    """Return a new sampler of the spec's kind; raise UnknownSampler if there is none."""
    if spec.sampler not in _FACTORIES:
        raise UnknownSampler(spec.sampler, registered())
    return _FACTORIES[spec.sampler](spec)
