"""What each option of each point is expected to do to the logits, measured in one pass.

The *margin* of an image is the logit of its label less the largest other one (for top-k, the k-th
largest): the image is a hit while it is above 0. To first order an option that changes a point's
tensor x by e changes the margin by Σ g·e, g being the margin's gradient at x. Its *energy* is the
mean of Σ (g·e)² over images, in squared logits, as if the errors of a tensor's values were
uncorrelated, and with images the weightier the nearer their margin is to 0: the diagonal of the
Gauss-Newton matrix of the margin's logistic loss. Energies of points add up as far as their errors
are uncorrelated, which is what makes an exact frontier possible.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig

Reals = npt.NDArray[np.float64]

#: a forward and a backward pass cost as much as so many forward passes
PASSES = 3


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


Menus = Mapping[str, Sequence[QuantizerConfig]]


def missing(menus: Menus, known: Sensitivity) -> dict[str, tuple[QuantizerConfig, ...]]:
    """Return the options whose energy is not known, by point; points without any are left out."""
    found = {
        point: tuple(option for option in menu if option not in known.energies.get(point, {}))
        for point, menu in menus.items()
    }
    return {point: options for point, options in found.items() if options}


def joined(menus: Menus, known: Sensitivity, *, measured: Sensitivity | None) -> Sensitivity:
    """Return what is known of these options together with what was measured of the others.

    Both are of the same network on the same images. Only what was measured counts as evaluated.
    """
    added = measured.energies if measured else {}
    energies = {point: {**known.energies.get(point, {}), **added.get(point, {})} for point in menus}
    return Sensitivity(
        energies={
            point: monotone({option: energies[point][option] for option in menu})
            for point, menu in menus.items()
        },
        margins=known.margins,
        images=measured.images if measured else 0,
    )


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
