"""A search whose images have margins and whose options disturb them, so that all is known of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property

import numpy as np

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.racing import Race
from search.sensitivity import Reals
from search.sensitivity import Sensitivity
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict

IMAGES = 2000
ROUND = 200
#: values of the points, and the energy of one bit of each: the largest are the hardiest
ELEMENTS = (4096, 2048, 2048, 1000, 512, 100)
ONE_BIT = (2.0, 4.0, 1.0, 6.0, 3.0, 8.0)
WIDTHS = (1, 2, 3, 4, 5, 6, 8)


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Margins and their disturbances; `off` is by which factor measured energies are too small."""

    seed: int = 0
    tolerance: float = 0.02
    off: tuple[float, ...] = (1.0,) * len(ELEMENTS)

    @cached_property
    def points(self) -> tuple[QuantizationPoint, ...]:
        return tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(ELEMENTS))

    @cached_property
    def menu(self) -> tuple[QuantizerConfig, ...]:
        return tuple(QuantizerConfig(q, b) for q in ("affine", "codebook") for b in WIDTHS)

    @cached_property
    def margins(self) -> Reals:
        """(IMAGES,) of the search split."""
        return np.random.default_rng(self.seed).normal(3.0, 2.0, IMAGES)

    @cached_property
    def energies(self) -> dict[str, dict[QuantizerConfig, float]]:
        """The measured ones."""
        return {
            point.name: {
                o: base * 4.0 ** (1 - o.bit_width) * (0.7 if o.quantizer == "codebook" else 1)
                for o in self.menu
            }
            for point, base in zip(self.points, ONE_BIT, strict=True)
        }

    @cached_property
    def errors(self) -> dict[str, dict[QuantizerConfig, Reals]]:
        """What each option adds to the margins, (IMAGES,)."""
        random = np.random.default_rng(self.seed + 1)
        return {
            point: {
                o: np.sqrt(energy * factor) * random.standard_normal(IMAGES)
                for o, energy in by_option.items()
            }
            for (point, by_option), factor in zip(self.energies.items(), self.off, strict=True)
        }

    def spec(self, *, measured: bool = True, **changes: object) -> SearchSpec:
        """Return the search; told sensitivities are measured on other images."""
        other = np.random.default_rng(self.seed + 2).normal(3.0, 2.0, 256)
        found = Sensitivity(energies=self.energies, margins=other, images=768)
        correct = int((self.margins > 0).sum())
        spec = SearchSpec(
            points=self.points,
            menus=(self.menu,) * len(ELEMENTS),
            baseline=Baseline(images=IMAGES, correct=correct, tolerance=self.tolerance),
            sampler="bitfloor",
            budget=25,
            seed=self.seed,
            sensitivity=found if measured else None,
        )
        return replace(spec, **changes)  # type: ignore[arg-type]  # fields of the spec

    def evaluate(self, allocation: BitAllocation) -> Iterator[Hits]:
        """Yield hits of ROUND images each."""
        disturbed = self.margins + sum(self.errors[p][o] for p, o in allocation.items())
        for start in range(0, IMAGES, ROUND):
            before = self.margins[start : start + ROUND] > 0
            after = disturbed[start : start + ROUND] > 0
            yield Hits(
                images=ROUND,
                correct=int(after.sum()),
                lost=int((before & ~after).sum()),
                gained=int((~before & after).sum()),
            )

    def hits(self, allocation: BitAllocation, *, images: int = IMAGES) -> Hits:
        """Return the hits on the first images."""
        return sum([*self.evaluate(allocation)][: images // ROUND], Hits())


def trial(spec: SearchSpec, allocation: BitAllocation, hits: Hits, *, number: int) -> TrialResult:
    """Return the trial that a study would make of these hits."""
    race = Race.of(spec.baseline, spec.certificate)
    holds = race.constraint(hits) <= 0
    return TrialResult(
        number=number,
        allocation=allocation,
        origin="test",
        memory_bits=spec.cost(allocation),
        hits=hits,
        complete=hits.images == spec.baseline.images,
        constraint=race.constraint(hits),
        verdict=Verdict.HELD if holds else Verdict.MISSED,
    )
