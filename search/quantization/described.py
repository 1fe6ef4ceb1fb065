"""Reads fitted parameters back from their description, and takes nothing in it on trust."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from typing import TypeGuard

import numpy as np

from search.allocation import QuantizerConfig
from search.errors import UnusableDocument
from search.quantization import catalog  # noqa: F401  # registers the quantizers
from search.quantization import quantizer
from search.quantization.quantizer import Affine
from search.quantization.quantizer import Codebook
from search.quantization.quantizer import Parameters
from search.quantization.quantizer import PerChannelAffine

MOST_CELLS = 1 << 20
LARGEST_CODE = 1 << 16  # of either sign


def read(config: QuantizerConfig, described: Mapping[str, Any], *, field: str) -> Parameters:
    """Return the parameters of which `described` is the description, exactly.

    Raises UnknownQuantizer, and UnusableDocument, naming what is wrong below `field`.
    """
    known = quantizer.get(config.quantizer)
    reader = _Reader(described, field, most=1 << config.bit_width)
    if known.stores_codebook:
        return reader.codebook()
    return reader.per_channel() if known.per_channel else reader.affine()


@dataclass(frozen=True, slots=True)
class _Reader:
    described: Mapping[str, Any]
    field: str
    #: values that can be told apart
    most: int

    def affine(self) -> Affine:
        low, high = self._codes()
        return Affine(
            scale=self._above_0("scale"),
            zero_point=self._whole("zero_point", low, high=high),
            quant_min=low,
            quant_max=high,
        )

    def per_channel(self) -> PerChannelAffine:
        low, high = self._codes()
        scales = self._numbers("scales")
        if min(scales, default=0) <= 0:
            raise self._wrong("scales", "every scale must lie above 0")
        zeros = self._list("zero_points")
        if len(zeros) != len(scales) or any(
            type(z) is not int or not low <= z <= high for z in zeros
        ):
            raise self._wrong("zero_points", f"a whole number in {low}..{high} for every scale")
        return PerChannelAffine(
            scales=np.array(scales), zero_points=np.array(zeros), quant_min=low, quant_max=high
        )

    def codebook(self) -> Codebook:
        levels = self._ascending("levels")
        if not 1 <= len(levels) <= self.most:
            raise self._wrong("levels", f"has {len(levels)} levels, not 1..{self.most}")
        cells = self._whole("cells", 1, high=MOST_CELLS)
        low, width = self._number("low"), self._above_0("cell_width")
        thresholds = self._ascending("thresholds")
        borders = np.round((np.array(thresholds) - low) / width)
        inside = not len(borders) or (borders[0] >= 1 and borders[-1] < cells)
        if len(thresholds) != len(levels) - 1 or not inside or (np.diff(borders) <= 0).any():
            raise self._wrong("thresholds", "one between any two levels, each on a cell's border")
        bound = self.described.get("upper_bound")
        return Codebook(
            low=low,
            width=width,
            assignment=np.searchsorted(borders, np.arange(cells), side="right").astype(np.uint16),
            levels=np.array(levels),
            upper_bound=None if bound is None else self._number("upper_bound"),
        )

    def _codes(self) -> tuple[int, int]:
        low = self._whole("quant_min", -LARGEST_CODE, high=LARGEST_CODE)
        return low, self._whole("quant_max", low, high=low + self.most - 1)

    def _above_0(self, name: str) -> float:
        number = self._number(name)
        if number <= 0:
            raise self._wrong(name, f"{number:g} does not lie above 0")
        return number

    def _number(self, name: str) -> float:
        found = self.described.get(name)
        if not _finite(found):
            raise self._wrong(name, "a finite number is needed")
        return float(found)

    def _whole(self, name: str, low: int, *, high: int) -> int:
        found = self.described.get(name)
        if type(found) is not int or not low <= found <= high:
            raise self._wrong(name, f"a whole number in {low}..{high} is needed")
        return found

    def _numbers(self, name: str) -> list[float]:
        found = self._list(name)
        if not all(map(_finite, found)):
            raise self._wrong(name, "finite numbers are needed")
        return [float(number) for number in found]

    def _ascending(self, name: str) -> list[float]:
        found = self._numbers(name)
        if any(before >= after for before, after in pairwise(found)):
            raise self._wrong(name, "the numbers must ascend")
        return found

    def _list(self, name: str) -> list[Any]:
        found = self.described.get(name)
        if not isinstance(found, list):
            raise self._wrong(name, "a list is needed")
        return found

    def _wrong(self, name: str, why: str) -> UnusableDocument:
        return UnusableDocument(f"{self.field}.{name}", why)


def _finite(number: object) -> TypeGuard[int | float]:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    try:
        return math.isfinite(number)
    except OverflowError:  # whole, and beyond what a float can hold
        return False
