"""What is assumed where nothing was measured is what the closed form of Lin et al. assumes."""

import numpy as np
import pytest

from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.bitfloor.assumed import assumed

POINTS = (QuantizationPoint("large", 300), QuantizationPoint("small", 100))
MENU = tuple(QuantizerConfig(q, b) for q in ("affine", "codebook") for b in (2, 3, 4))


class TestAssumed:
    FOUND = assumed(POINTS, (MENU, MENU), accuracy=0.9)

    def test_a_bit_less_is_four_times_the_noise_whatever_the_quantizer(self) -> None:
        for energies in self.FOUND.energies.values():
            for quantizer in ("affine", "codebook"):
                row = [energies[QuantizerConfig(quantizer, bits)] for bits in (2, 3, 4)]
                assert [row[0] / row[1], row[1] / row[2]] == pytest.approx([4, 4])

    def test_noise_is_in_proportion_to_the_values_of_a_point(self) -> None:
        energies = self.FOUND.energies
        for option in MENU:
            assert energies["large"][option] == pytest.approx(3 * energies["small"][option])

    @pytest.mark.parametrize("accuracy", [0.0, 0.1, 0.5, 0.93, 1.0])
    def test_as_many_margins_are_above_0_as_images_are_right(self, accuracy: float) -> None:
        margins = assumed(POINTS, (MENU, MENU), accuracy=accuracy).margins
        assert np.isfinite(margins).all()
        assert (margins > 0).mean() == pytest.approx(accuracy, abs=0.006)

    def test_no_image_was_evaluated_for_it(self) -> None:
        assert self.FOUND.images == 0

    def test_a_point_that_stays_in_float_has_no_energies(self) -> None:
        assert assumed(POINTS, (MENU, ()), accuracy=0.9).energies["small"] == {}
