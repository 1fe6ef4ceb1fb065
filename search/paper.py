"""What Sun & Lin report for VGG-16, row by row, so that it can be evaluated as it stands.

Fangxuan Sun and Jun Lin, Memory Efficient Nonuniform Quantization for Deep Convolutional Neural
Network. Accuracies are the paper's own top-5 on ImageNet, in per cent; bits are those of the 13
convolutions and 3 linear layers in network order.
"""

from dataclasses import dataclass

#: values stored per image at each point of VGG-16 at 224 x 224
ELEMENTS = (
    *(64 * 224**2,) * 2,
    *(128 * 112**2,) * 2,
    *(256 * 56**2,) * 3,
    *(512 * 28**2,) * 3,
    *(512 * 14**2,) * 3,
    *(4096, 4096, 1000),
)
POINTS = len(ELEMENTS)
ALEXNET_POINTS = 8
#: the method that Table VII compares with
LIN = "Lin et al."


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of the paper's tables."""

    #: table and row as the paper numbers them, such as "II/III, 9"
    label: str
    #: our name for the paper's quantizer
    quantizer: str
    #: per point, in network order
    bits: tuple[int, ...]
    #: top-5, per cent; None where the paper gives two figures that contradict each other
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class PublishedBest:
    """One row of Table VII, as printed."""

    #: our name for the method
    method: str
    #: table and row that it is taken from, such as "II/III, 9"
    label: str
    #: top-5, per cent
    accuracy: float
    #: of the activation memory in float32, per cent
    saved: float
    #: memory in per cent of that of Lin et al.
    of_lin: float


def _row(label: str, quantizer: str, *, bits: str, accuracy: float | None) -> PublishedRow:
    return PublishedRow(label, quantizer, tuple(int(b) for b in bits.split()), accuracy)


#: Table I: one step for all layers
UNIFORM = tuple(
    PublishedRow(f"I, {bits} bits", "fixed_point_shared", (bits,) * POINTS, accuracy)
    for bits, accuracy in ((14, 88.4), (13, 88.4), (12, 88.5), (11, 87.0), (10, 79.6), (9, 56.0))
)

#: Tables II and III: a bit-width per layer
NONUNIFORM = tuple(
    _row(f"II/III, {number}", "fixed_point_shared", bits=bits, accuracy=accuracy)
    for number, bits, accuracy in (
        (1, "8 10 10 11 11 11 11 11 11 10 10 9 8 5 4 4", 83.96),
        (2, "8 10 10 11 11 11 11 11 11 10 10 9 8 7 4 3", 86.44),
        (3, "8 10 10 11 11 11 11 11 11 10 10 9 7 7 3 2", 85.61),
        (4, "8 10 10 11 11 11 11 11 11 10 10 9 5 7 3 2", 78.20),
        (5, "8 10 10 11 11 11 11 11 11 10 11 9 8 7 3 2", 86.20),
        (6, "8 10 10 11 11 11 11 11 11 9 10 9 8 7 3 2", 84.97),
        (7, "8 10 10 11 11 11 11 10 11 10 10 9 8 7 3 2", 83.33),
        (8, "8 10 11 10 11 11 11 11 11 10 10 9 8 7 3 2", 81.07),
        (9, "8 8 10 11 11 11 11 11 11 10 10 9 8 7 3 2", 86.22),
    )
)

#: Tables IV and V: evenly spaced numbers between a layer's smallest and largest
DISCRETE = tuple(
    _row(f"IV/V, {number}", "affine", bits=bits, accuracy=accuracy)
    for number, bits, accuracy in (
        (1, "8 4 5 5 5 5 5 5 5 5 5 4 4 3 2 2", 56.60),
        (2, "8 4 5 5 5 5 5 5 5 5 5 4 4 4 2 2", 79.43),
        (3, "8 4 5 5 5 5 5 5 5 5 5 4 4 6 3 2", 83.46),
        (4, "8 5 6 4 6 6 6 6 6 6 6 5 5 6 3 2", 85.81),
        # Table IV says 86.19 and Table V 83.46
        (5, "8 5 6 5 5 4 6 6 6 6 6 5 5 6 3 2", None),
        (6, "8 5 6 5 5 5 5 5 5 5 6 5 5 6 3 2", 86.25),
    )
)

#: Table VI: points of the network -> (quantizer, bits, top-5); linear layers are left out of it
K_MEANS = {
    POINTS: (
        ("codebook", 4, 62.8),
        ("codebook", 5, 85.8),
        ("codebook_bounded", 4, 69.57),
        ("codebook_bounded", 5, 86.58),
    ),
    ALEXNET_POINTS: (
        ("codebook", 2, 34.41),
        ("codebook", 3, 77.55),
        ("codebook_bounded", 2, 39.03),
        ("codebook_bounded", 3, 78.23),
    ),
}

#: Table VII. Two of the four savings do not follow from the paper's own tables: row 9 saves 70.68
#: and row 6 saves 81.76. Which bound "with bound" means is told nowhere.
BEST = (
    PublishedBest("uniform", "I, 11 bits", 87.0, 65.6, 110.2),
    PublishedBest("nonuniform", "II/III, 9", 86.22, 68.8, 100.0),
    PublishedBest("discrete", "IV/V, 6", 86.25, 82.4, 56.4),
    PublishedBest("k-means, bounded", "VI, 5 bits", 86.58, 84.4, 50.0),
)
