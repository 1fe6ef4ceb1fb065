"""How photographs become a network's input: geometry once, normalization with every batch."""

import math
from dataclasses import dataclass

from search.errors import InvalidSpec

INTERPOLATIONS = ("bilinear", "bicubic")
LARGEST_SIDE = 4096  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What weights were trained with, or what a request asks for instead."""

    #: pixels of the shorter side after resizing; None: not resized
    resize: int | None = None
    #: pixels a side of the square cut from the centre; None: not cropped
    crop: int | None = None
    #: of each channel, of images in [0, 1]; empty: not normalized
    mean: tuple[float, ...] = ()
    #: of each channel, of images in [0, 1]; parallel to `mean`
    std: tuple[float, ...] = ()
    #: one of `INTERPOLATIONS`, antialiased
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        for field, pixels in (("resize", self.resize), ("crop", self.crop)):
            if pixels is not None and not 1 <= pixels <= LARGEST_SIDE:
                raise _invalid(field, f"{pixels} is not in 1..{LARGEST_SIDE} pixels")
        if len(self.mean) != len(self.std):
            raise _invalid("std", f"{len(self.std)} numbers, but mean has {len(self.mean)}")
        if not all(math.isfinite(number) for number in self.mean):
            raise _invalid("mean", "is not finite")
        if not all(0 < number < math.inf for number in self.std):
            raise _invalid("std", "every number must lie above 0")
        if self.interpolation not in INTERPOLATIONS:
            known = ", ".join(INTERPOLATIONS)
            raise _invalid("interpolation", f"{self.interpolation!r} is not one of {known}")


def _invalid(field: str, sentence: str) -> InvalidSpec:
    return InvalidSpec(f"preprocessing.{field}", sentence)


def settled(asked: Preprocessing | None, trained: Preprocessing | None) -> Preprocessing:
    """Return what holds: geometry and normalization, each the weights' own where left out.

    Geometry is left out with neither resize nor crop, normalization with an empty mean.
    """
    own, default = asked or Preprocessing(), trained or Preprocessing()
    geometry = default if own.resize is None and own.crop is None else own
    normalization = own if own.mean else default
    return Preprocessing(
        resize=geometry.resize,
        crop=geometry.crop,
        interpolation=geometry.interpolation,
        mean=normalization.mean,
        std=normalization.std,
    )
