"""Optuna's samplers behind our protocol: in memory, seeded per proposal, so resuming is exact."""

import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import BaseSampler
from optuna.samplers import GPSampler
from optuna.samplers import RandomSampler
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from search import samplers
from search.bitfloor.outset import Outset
from search.bitfloor.sampler import FALLBACK
from search.bitfloor.sampler import BitfloorSampler
from search.genetic import Nsga2
from search.optuna_space import Space
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import TrialResult

_SEED_SPACE = 2**32  # what numpy accepts as a seed

# Optuna logs every trial; ours are reported by whoever runs the study
optuna.logging.set_verbosity(optuna.logging.WARNING)

#: (number, attempt) -> the sampler that this proposal is asked of
Make = Callable[[int, int], BaseSampler]


class OptunaSampler:
    """A `samplers.Sampler` on an in-memory Optuna study.

    It minimizes memory under the floor, or memory and lost accuracy if the goal is the front.
    """

    def __init__(self, spec: SearchSpec, make: Make, *, starts_itself: bool = False) -> None:
        self._spec = spec
        self._make = make
        self._space = Space(spec)
        self._study = optuna.create_study(directions=self._space.directions, sampler=make(0, 0))
        self._starts_itself = starts_itself

    @property
    def starts_itself(self) -> bool:
        """Its first proposals are its own, not the uniform allocations."""
        return self._starts_itself

    def propose(self, *, number: int, attempt: int) -> Proposal:
        """Return Optuna's suggestion; the asked trial is closed, `learn` adds the real ones."""
        sampler = self._study.sampler = self._make(number, attempt)
        asked = self._study.ask(fixed_distributions=dict(self._space.distributions))
        self._study.tell(asked, state=TrialState.FAIL)
        allocation = self._space.decode(asked.params)
        if not isinstance(sampler, BitfloorSampler):
            return Proposal(allocation, self._spec.sampler)
        origin = sampler.origins[asked.number]
        return Proposal(allocation, origin, insures=origin != FALLBACK)

    def learn(self, trial: TrialResult) -> None:
        """Add a finished trial with its memory and how far it lies from the floor."""
        self._study.add_trial(self._space.trial(trial))


def _seed(seed: int, *, number: int, attempt: int) -> int:
    """Return a seed that differs for every (trial, attempt) of a search."""
    return (seed * 1_000_003 + number * 8_191 + attempt) % _SEED_SPACE


@samplers.register("tpe")
def tpe(spec: SearchSpec) -> samplers.Sampler:
    """Return multivariate TPE (Bergstra et al. 2011) with the floor as a constraint."""
    return OptunaSampler(
        spec, lambda number, attempt: _tpe(_seed(spec.seed, number=number, attempt=attempt))
    )


@samplers.register("random")
def random(spec: SearchSpec) -> samplers.Sampler:
    """Return independent uniform draws, the baseline every other sampler must beat."""
    return OptunaSampler(
        spec,
        lambda number, attempt: RandomSampler(
            seed=_seed(spec.seed, number=number, attempt=attempt)
        ),
    )


@samplers.register("nsga2")
def nsga2(spec: SearchSpec) -> samplers.Sampler:
    """Return NSGA-II (Deb et al. 2002), whose generations are the trials in order."""
    return OptunaSampler(
        spec,
        lambda number, attempt: Nsga2(seed=_seed(spec.seed, number=number, attempt=attempt)),
    )


@samplers.register("gp")
def gp(spec: SearchSpec) -> samplers.Sampler:
    """Return Optuna's Gaussian process, which needs torch and fits anew for every proposal."""
    return OptunaSampler(
        spec,
        lambda number, attempt: GPSampler(
            seed=_seed(spec.seed, number=number, attempt=attempt),
            # a variable of one option is drawn apart
            warn_independent_sampling=False,
        ),
    )


@samplers.register("bitfloor")
def bitfloor(spec: SearchSpec) -> samplers.Sampler:
    """Return our own sampler; without a sensitivity it starts from what the paper knows."""
    outset = Outset.of(spec)

    def make(number: int, attempt: int) -> BaseSampler:
        fallback = _tpe(_seed(spec.seed, number=number, attempt=attempt))
        return BitfloorSampler(outset, turn=(number, attempt), fallback=fallback)

    return OptunaSampler(spec, make, starts_itself=True)


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(multivariate=True, seed=seed)
