"""Allocations and trials in Optuna's terms, and back.

Each variable has two parameters, its quantizer (categorical) and its bit-width (an index into the
sorted widths, so that the order of bits is known to the sampler).
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.distributions import CategoricalDistribution
from optuna.distributions import IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict

FLOOR_CONSTRAINT = "accuracy_floor"
#: user attribute of a trial that holds everything but its parameters
RESULT = "bitfloor"


class Space:
    """The search space of a spec."""

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
        """Return the allocation that these parameters stand for."""
        return self._spec.allocation(
            [
                axis.option(params[f"{name}.quantizer"], params[f"{name}.bit_width"])
                for name, axis in self._axes
            ]
        )

    def encode(self, allocation: BitAllocation) -> dict[str, Any]:
        """Return the parameters of an allocation."""
        params: dict[str, Any] = {}
        chosen = dict(allocation.items())
        for name, axis in self._axes:
            config = chosen[name]
            params[f"{name}.quantizer"] = config.quantizer
            params[f"{name}.bit_width"] = axis.widths.index(config.bit_width)
        return params

    def trial(self, result: TrialResult) -> FrozenTrial:
        """Return a finished trial, to be added to a study of these `directions`.

        A search for the front has accuracy as its second value in the place of the constraint; of a
        trial that was stopped it is X less the drop on the images seen.
        """
        memory_bits = float(result.memory_bits)
        front = self._spec.goal == "front"
        values = [memory_bits, self._accuracy(result.hits)] if front else [memory_bits]
        return optuna.trial.create_trial(
            values=values,
            params=self.encode(result.allocation),
            distributions=dict(self.distributions),
            constraints={} if front else {FLOOR_CONSTRAINT: result.constraint},
            user_attrs={RESULT: noted(result)},
        )

    @property
    def directions(self) -> Sequence[StudyDirection]:
        """Less memory, and in a search for the front more accuracy."""
        if self._spec.goal == "front":
            return (StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE)
        return (StudyDirection.MINIMIZE,)

    def _accuracy(self, hits: Hits) -> float:
        baseline = self._spec.baseline
        return hits.accuracy if hits.images == baseline.images else baseline.accuracy - hits.drop

    def result(self, trial: FrozenTrial) -> TrialResult | None:
        """Return what a trial of `trial`, or one that was noted, found; None if nothing is."""
        note = trial.user_attrs.get(RESULT)
        if note is None:
            return None
        said = dict(note)
        hits = Hits(**{name: said.pop(name) for name in ("images", "correct", "lost", "gained")})
        return TrialResult(
            number=trial.number,
            allocation=self.decode(trial.params),
            hits=hits,
            verdict=Verdict(said.pop("verdict")),
            **said,
        )


def noted(result: TrialResult) -> dict[str, Any]:
    """Return what there is to tell of a trial beside its parameters, ready for JSON."""
    hits = result.hits
    return {
        "origin": result.origin,
        "memory_bits": result.memory_bits,
        "images": hits.images,
        "correct": hits.correct,
        "lost": hits.lost,
        "gained": hits.gained,
        "complete": result.complete,
        "constraint": result.constraint,
        "verdict": str(result.verdict),
    }


class _Axis:
    """The options of one variable as a grid of quantizers and bit-widths."""

    def __init__(self, options: tuple[QuantizerConfig, ...]) -> None:
        self.quantizers = sorted({option.quantizer for option in options})
        self.widths = sorted({option.bit_width for option in options})
        self._nearest = {
            (quantizer, index): nearest(options, QuantizerConfig(quantizer, width))
            for quantizer in self.quantizers
            for index, width in enumerate(self.widths)
        }

    def option(self, quantizer: str, width_index: int) -> QuantizerConfig:
        """Return the option, or the nearest offered one where the menu has a hole there."""
        return self._nearest[quantizer, width_index]
