"""Energies add up over points, and more bits of a quantizer are never worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.sensitivity import Sensitivity
from search.sensitivity import joined
from search.sensitivity import missing
from search.sensitivity import monotone


def option(quantizer: str, bit_width: int) -> QuantizerConfig:
    return QuantizerConfig(quantizer, bit_width)


class TestEnergy:
    def test_it_is_the_sum_over_the_points_of_the_allocation(self) -> None:
        found = Sensitivity(
            energies={
                "a": {option("affine", 2): 3.0, option("affine", 4): 0.25},
                "b": {option("affine", 2): 5.0, option("codebook", 2): 0.5},
                "c": {option("affine", 2): 100.0},
            },
            margins=np.zeros(1),
            images=0,
        )
        chosen = {"a": option("affine", 4), "b": option("codebook", 2)}
        assert found.energy(BitAllocation.of(chosen)) == pytest.approx(0.75)  # c stays in float32
        assert found.energy(BitAllocation.of({})) == 0


class TestMonotone:
    def test_fewer_bits_are_at_least_as_bad_as_more_of_the_same_quantizer(self) -> None:
        measured = {
            option("affine", 2): 4.0,
            option("affine", 3): 1.0,
            option("affine", 4): 1.5,
            option("codebook", 2): 0.2,
            option("codebook", 3): 0.1,
        }
        assert monotone(measured) == measured | {option("affine", 3): 1.5}

    @given(
        st.dictionaries(
            st.builds(option, st.sampled_from(["affine", "codebook"]), st.integers(1, 8)),
            st.floats(0, 1e6),
        )
    )
    def test_each_is_the_largest_of_those_with_as_many_bits_or_more(
        self, measured: dict[QuantizerConfig, float]
    ) -> None:
        found = monotone(measured)
        assert found.keys() == measured.keys()
        for one, energy in found.items():
            as_many = [o for o in measured if o.quantizer == one.quantizer and o >= one]
            assert energy == max(measured[o] for o in as_many)


class TestJoined:
    A4, A8, C4 = (QuantizerConfig(*pair) for pair in (("affine", 4), ("affine", 8), ("code", 4)))
    KNOWN = Sensitivity(
        energies={"p": {A4: 2.0, A8: 1.0}, "q": {A4: 3.0}}, margins=np.array([1.0]), images=768
    )

    def test_only_what_is_not_known_is_missing(self) -> None:
        menus = {"p": (self.A4, self.C4), "q": (self.A4,), "r": (self.A8,)}
        assert missing(menus, self.KNOWN) == {"p": (self.C4,), "r": (self.A8,)}

    def test_known_and_measured_make_one_and_only_the_measured_took_images(self) -> None:
        menus = {"p": (self.A4, self.C4)}
        energies = {"p": {self.C4: 5.0}}
        measured = Sensitivity(energies=energies, margins=self.KNOWN.margins, images=99)
        found = joined(menus, self.KNOWN, measured=measured)
        assert found.energies == {"p": {self.A4: 2.0, self.C4: 5.0}}
        assert found.images == 99
        assert joined({"q": (self.A4,)}, self.KNOWN, measured=None).images == 0

    def test_more_bits_are_still_no_worse(self) -> None:
        menus = {"q": (self.A4, self.A8)}
        energies = {"q": {self.A8: 7.0}}
        measured = Sensitivity(energies=energies, margins=self.KNOWN.margins, images=9)
        found = joined(menus, self.KNOWN, measured=measured)
        assert found.energies == {"q": {self.A4: 7.0, self.A8: 7.0}}
