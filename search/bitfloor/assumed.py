"""The sensitivity to start from where none was measured: what Lin et al.'s closed form knows."""

from collections.abc import Sequence

import numpy as np
from scipy.special import logit

from search.allocation import QuantizationPoint
from search.rules import Menu
from search.sensitivity import Reals
from search.sensitivity import Sensitivity

_IMAGES = 200  # margins that stand in for measured ones
_SPREAD = 3.0  # logits, of those


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
