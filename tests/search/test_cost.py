"""Memory follows from elements and bits alone; the paper's own allocations come out exactly."""

import pytest

from search import cost
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig

#: outputs of VGG-16's 13 convolutions and 3 linear layers at 224×224, before pooling
VGG16 = tuple(
    QuantizationPoint(f"layer{i}", n)
    for i, n in enumerate(
        (
            *(3_211_264,) * 2,
            *(1_605_632,) * 2,
            *(802_816,) * 3,
            *(401_408,) * 3,
            *(100_352,) * 3,
            4096,
            4096,
            1000,
        )
    )
)


def allocated(*bits: int) -> BitAllocation:
    return BitAllocation(
        tuple(
            (point.name, QuantizerConfig("affine", b)) for point, b in zip(VGG16, bits, strict=True)
        )
    )


class TestMemoryBits:
    def test_vgg16_takes_54_megabytes_in_float32(self) -> None:
        assert sum(point.elements for point in VGG16) == 13_556_712
        assert cost.float_memory_bits(VGG16) / 8 == 54_226_848

    @pytest.mark.parametrize(
        "bits, saved, average",
        [
            ((11,) * 16, 65.62, 11.0),
            ((8, 8, 10, 11, 11, 11, 11, 11, 11, 10, 10, 9, 8, 7, 3, 2), 70.68, 9.38),
            ((8, 5, 6, 5, 5, 5, 5, 5, 5, 5, 6, 5, 5, 6, 3, 2), 81.76, 5.84),
            ((5,) * 16, 84.38, 5.0),
        ],
        ids=["uniform", "nonuniform", "discrete", "k-means"],
    )
    def test_the_papers_allocations_save_exactly_this(
        self, bits: tuple[int, ...], saved: float, average: float
    ) -> None:
        total = cost.memory_bits(VGG16, allocated(*bits))
        # 65.625 is written down both ways
        assert 100 * cost.saved(VGG16, total) == pytest.approx(saved, abs=0.0051)
        assert cost.average_bits(VGG16, total) == pytest.approx(average, abs=0.005)

    def test_a_point_left_out_stays_at_32_bits(self) -> None:
        points = (QuantizationPoint("a", 10), QuantizationPoint("b", 1))
        only_a = BitAllocation.of({"a": QuantizerConfig("affine", 4)})
        assert cost.memory_bits(points, only_a) == 10 * 4 + 32
