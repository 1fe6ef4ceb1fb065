"""Made-up searches whose accuracy has a closed form, so that a whole study takes milliseconds."""

from collections.abc import Iterator

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.spec import SearchSpec
from search.trial import Hits

#: of a network in which early points store most and late ones matter most
ELEMENTS = (64, 32, 16, 8)
SENSITIVITY = (0.5, 1.0, 2.0, 4.0)
ROUND = 100  # images


def made_up_spec(
    *,
    sampler: str = "tpe",
    budget: int = 40,
    seed: int = 0,
    tolerance: float = 0.02,
    bit_widths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8),
    quantizers: tuple[str, ...] = ("affine", "codebook"),
) -> SearchSpec:
    """Return a search over four points, 1,000 images, X = 0.9."""
    points = tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(ELEMENTS))
    options = tuple(sorted(QuantizerConfig(q, b) for q in quantizers for b in bit_widths))
    return SearchSpec(
        points=points,
        menus=(options,) * len(points),
        baseline=Baseline(images=1000, correct=900, tolerance=tolerance),
        sampler=sampler,
        budget=budget,
        seed=seed,
    )


def made_up_hits(allocation: BitAllocation, images: int = 1000) -> int:
    """Return how many images are right: each point loses more the fewer its bits."""
    loss = 0.0
    for (_, config), weight in zip(allocation.items(), SENSITIVITY, strict=True):
        gain = 0.8 if config.quantizer == "codebook" else 1.0
        loss += weight * gain * 4.0 ** (1 - config.bit_width)
    return round(images * 0.9 * max(0.1, 1 - 0.2 * loss))


def made_up_evaluate(allocation: BitAllocation) -> Iterator[Hits]:
    """Evaluate 1,000 images in rounds, the right ones spread evenly."""
    right = made_up_hits(allocation)
    for start in range(0, 1000, ROUND):
        correct = right * (start + ROUND) // 1000 - right * start // 1000
        lost = max(0, 90 - correct)
        yield Hits(images=ROUND, correct=correct, lost=lost, gained=max(0, correct - 90))
