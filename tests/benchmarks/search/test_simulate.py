"""The made-up network answers as its true accuracy says, and always the same."""

import numpy as np
import pytest

from benchmarks.search import simulate
from benchmarks.search.simulate import MadeUp
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.trial import Hits

IMAGES = 40_000


def uniform(network: MadeUp, bits: int) -> BitAllocation:
    return BitAllocation.uniform(network.points, QuantizerConfig("affine", bits))


def total(network: MadeUp, allocation: BitAllocation, *, split: int = 0) -> Hits:
    return sum(network.hits(allocation, images=IMAGES, split=split), Hits())


class TestMadeUp:
    @pytest.mark.parametrize("bits", [2, 3, 4, 6])
    def test_the_drop_on_many_images_is_the_true_one(self, bits: int) -> None:
        network = MadeUp(seed=bits)
        hits = total(network, uniform(network, bits))
        error = np.sqrt((hits.lost + hits.gained) / IMAGES**2)
        assert abs(hits.drop - network.drop(uniform(network, bits))) < 4 * error

    def test_hits_add_up_with_the_float_model_on_the_same_images(self) -> None:
        network = MadeUp(seed=0)
        hits = total(network, uniform(network, 3))
        baseline = network.baseline(images=IMAGES, split=0)
        assert hits.correct == baseline.correct - hits.lost + hits.gained

    def test_it_answers_the_same_when_asked_again_and_otherwise_on_other_images(self) -> None:
        network = MadeUp(seed=0)
        asked = [total(network, uniform(network, 3), split=split) for split in (0, 0, 1)]
        assert asked[0] == asked[1]
        assert asked[0] != asked[2]

    def test_more_bits_drop_less(self) -> None:
        network = MadeUp(seed=0)
        drops = [network.drop(uniform(network, bits)) for bits in range(1, 9)]
        assert drops == sorted(drops, reverse=True)


class TestClaim:
    def test_wrong_certificates_are_counted_against_the_true_drop(self) -> None:
        claim = simulate.claim(3, sampler="random")
        drops = [simulate.certified_drop(seed, sampler="random") for seed in range(3)]
        wrong = sum(drop is not None and drop > simulate.TOLERANCE for drop in drops)
        assert (claim["wrong"], claim["figure"]) == (wrong, wrong / 3)
