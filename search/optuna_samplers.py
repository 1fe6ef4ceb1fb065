"""Optuna's samplers behind our protocol: in memory, re-seeded per proposal, so resuming is exact.

Each point has two parameters, its quantizer (categorical) and its bit-width (an index into the
sorted widths, so that the order of bits is known to the sampler).
"""

import warnings
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.distributions import CategoricalDistribution
from optuna.distributions import IntDistribution
from optuna.samplers import BaseSampler
from optuna.samplers import RandomSampler
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from search import samplers
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import TrialResult

FLOOR_CONSTRAINT = "accuracy_floor"
_SEED_SPACE = 2**32  # what numpy accepts as a seed

# Optuna logs every trial; ours are reported by whoever runs the study
optuna.logging.set_verbosity(optuna.logging.WARNING)


class OptunaSampler:
    """A `samplers.Sampler` on an in-memory Optuna study that minimizes memory under the floor."""

    starts_itself = False

    def __init__(self, spec: SearchSpec, make: Callable[[int], BaseSampler]) -> None:
        self._spec = spec
        self._make = make
        self._space = _Space(spec)
        self._study = optuna.create_study(direction="minimize", sampler=make(spec.seed))

    def propose(self, *, number: int, attempt: int) -> Proposal:
        """Return Optuna's suggestion; the asked trial is closed, `learn` adds the real ones."""
        self._study.sampler = self._make(_seed(self._spec.seed, number=number, attempt=attempt))
        asked = self._study.ask(fixed_distributions=dict(self._space.distributions))
        self._study.tell(asked, state=TrialState.FAIL)
        return Proposal(self._space.decode(asked.params), self._spec.sampler)

    def learn(self, trial: TrialResult) -> None:
        """Add a finished trial with its memory and how far it lies from the floor."""
        self._study.add_trial(
            optuna.trial.create_trial(
                value=float(trial.memory_bits),
                params=self._space.encode(trial.allocation),
                distributions=dict(self._space.distributions),
                constraints={FLOOR_CONSTRAINT: trial.constraint},
            )
        )


class _Space:
    """Allocations as Optuna parameters and back."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec
        self._axes = tuple((v.name, _Axis(v.menu)) for v in spec.variables)
        self.distributions: Mapping[str, BaseDistribution] = {
            key: distribution
            for name, axis in self._axes
            for key, distribution in (
                (f"{name}.quantizer", CategoricalDistribution(axis.quantizers)),
                (f"{name}.bit_width", IntDistribution(0, len(axis.widths) - 1)),
            )
        }

    def decode(self, params: Mapping[str, Any]) -> BitAllocation:
        return self._spec.allocation(
            [
                axis.option(params[f"{name}.quantizer"], params[f"{name}.bit_width"])
                for name, axis in self._axes
            ]
        )

    def encode(self, allocation: BitAllocation) -> dict[str, Any]:
        params: dict[str, Any] = {}
        chosen = dict(allocation.items())
        for name, axis in self._axes:
            config = chosen[name]
            params[f"{name}.quantizer"] = config.quantizer
            params[f"{name}.bit_width"] = axis.widths.index(config.bit_width)
        return params


class _Axis:
    """The options of one point as a grid of quantizers and bit-widths."""

    def __init__(self, options: tuple[QuantizerConfig, ...]) -> None:
        self._options = options
        self.quantizers = sorted({option.quantizer for option in options})
        self.widths = sorted({option.bit_width for option in options})

    def option(self, quantizer: str, width_index: int) -> QuantizerConfig:
        """Return the option, or the nearest offered one where the menu has a hole there."""
        return nearest(self._options, QuantizerConfig(quantizer, self.widths[width_index]))


def _seed(seed: int, *, number: int, attempt: int) -> int:
    """Return a seed that differs for every (trial, attempt) of a search."""
    return (seed * 1_000_003 + number * 8_191 + attempt) % _SEED_SPACE


@samplers.register("tpe")
def tpe(spec: SearchSpec) -> samplers.Sampler:
    """Return multivariate TPE (Bergstra et al. 2011) with the floor as a constraint."""

    def make(seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return TPESampler(multivariate=True, seed=seed)

    return OptunaSampler(spec, make)


@samplers.register("random")
def random(spec: SearchSpec) -> samplers.Sampler:
    """Return independent uniform draws, the baseline every other sampler must beat."""
    return OptunaSampler(spec, lambda seed: RandomSampler(seed=seed))
