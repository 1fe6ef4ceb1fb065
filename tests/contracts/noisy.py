"""A made-up network of random images, whose energies are known but for an error of each point."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.sensitivity import Reals
from search.sensitivity import Sensitivity
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from tests.contracts.networks import ROUND
from tests.contracts.networks import SENSITIVITY

IMAGES, RIGHT = 1000, 900
#: of the measured energies' logarithms
ERROR = 0.5


def true_energy(point: int, option: QuantizerConfig) -> float:
    """Return what the option does to the logits, squared."""
    gain = 0.8 if option.quantizer == "codebook" else 1.0
    return 8.0 * SENSITIVITY[point] * gain * 4.0 ** (1 - option.bit_width)


@dataclass(frozen=True)
class NoisyNetwork:
    """1,000 images, of which the float model has 900 right; all drawn from the seed."""

    seed: int

    @property
    def margins(self) -> Reals:
        """Logits, in the order in which the images are evaluated, shape (1000,)."""
        rng = np.random.default_rng(self.seed)
        sizes = rng.exponential(4.0, IMAGES)
        signs = rng.permutation(np.where(np.arange(IMAGES) < RIGHT, 1.0, -1.0))
        margins: Reals = sizes * signs
        return margins

    @property
    def evaluate(self) -> Evaluate:
        """Evaluate in rounds of 100 images; an allocation always gives the same."""
        margins = self.margins

        def run(allocation: BitAllocation) -> Iterator[Hits]:
            energy = sum(true_energy(int(p[1:]), o) for p, o in allocation.items())
            text = " ".join(f"{point}={option}" for point, option in allocation.items())
            rng = np.random.default_rng([self.seed, zlib.crc32(text.encode())])
            noise = np.sqrt(energy) * rng.standard_normal(IMAGES)
            before, after = margins > 0, margins + noise > 0
            for start in range(0, IMAGES, ROUND):
                was, now = before[start : start + ROUND], after[start : start + ROUND]
                yield Hits(
                    images=ROUND,
                    correct=int(now.sum()),
                    lost=int((was & ~now).sum()),
                    gained=int((now & ~was).sum()),
                )

        return run

    def sensitivity(self, spec: SearchSpec) -> Sensitivity:
        """Return energies that are off by a factor of their point's own."""
        errors = np.exp(ERROR * np.random.default_rng([self.seed, 1]).standard_normal(4))
        energies = {
            point.name: {o: float(errors[i]) * true_energy(i, o) for o in menu}
            for i, (point, menu) in enumerate(zip(spec.points, spec.menus, strict=True))
        }
        return Sensitivity(energies=energies, margins=self.margins, images=0)
