"""What each option of each point is expected to do to the logits, measured in one pass.

The *margin* of an image is the logit of its label less the largest other one (for top-k, the k-th
largest): the image is a hit while it is above 0. To first order an option that changes a point's
tensor x by e changes the margin by g·e, g being the margin's gradient at x. Its *energy* is the
mean of (g·e)² over images, in squared logits: the empirical Fisher information of the margin along
the errors that the option really makes. Energies of points add up as far as their errors are
uncorrelated, which is what makes an exact frontier possible.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.rules import Menu

Reals = npt.NDArray[np.float64]

#: a forward and a backward pass cost as much as so many forward passes
PASSES = 3
_IMAGES = 200  # margins that stand in for measured ones
_SPREAD = 3.0  # logits, of those


@dataclass(frozen=True, eq=False, kw_only=True)
class Sensitivity:
    """Energies of every option, and the margins that they are set against."""

    #: point -> option -> energy, at least 0, squared logits
    energies: Mapping[str, Mapping[QuantizerConfig, float]]
    #: (images,) of the float model, logits
    margins: Reals
    #: evaluated to find out, a backward pass counted as two
    images: int

    def energy(self, allocation: BitAllocation) -> float:
        """Return the sum over the allocation's points."""
        return sum(self.energies[point][config] for point, config in allocation.items())


def assumed(
    points: Sequence[QuantizationPoint], menus: Sequence[Menu], *, accuracy: float
) -> Sensitivity:
    """Return a sensitivity that knows no more than the paper: a bit less, four times the noise.

    Every value makes as much noise as any other; the margins are spread like a logistic
    distribution around the accuracy.
    """
    total = sum(point.elements for point in points)
    energies = {
        point.name: {o: 4.0 ** (1 - o.bit_width) * point.elements / total for o in menu}
        for point, menu in zip(points, menus, strict=True)
    }
    shares = (np.arange(_IMAGES) + 0.5) / _IMAGES
    inside = min(max(accuracy, 1 / _IMAGES), 1 - 1 / _IMAGES)
    margins: Reals = _SPREAD * (logit(shares) + logit(inside))
    return Sensitivity(energies=energies, margins=margins, images=0)


def monotone(energies: Mapping[QuantizerConfig, float]) -> dict[QuantizerConfig, float]:
    """Return the energies with none above that of fewer bits of the same quantizer.

    More bits cannot hurt but by chance; where they seem to, fewer are taken to be as bad.
    """
    found: dict[QuantizerConfig, float] = {}
    worst: dict[str, float] = {}
    for option in sorted(energies, key=lambda o: (o.quantizer, -o.bit_width)):
        worst[option.quantizer] = max(worst.get(option.quantizer, 0.0), energies[option])
        found[option] = worst[option.quantizer]
    return found
