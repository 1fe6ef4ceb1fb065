"""What a quantizer is: a named function that fits parameters to a calibrated point.

Parameters come in three kinds, after how they are applied: `Affine` and `PerChannelAffine` (a fused
torch operator does it) and `Codebook` (a table lookup). A new quantizer is a fit function
registered by name; it passes the contract in the tests or it does not exist.
"""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Protocol
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from search.allocation import Kind
from search.errors import CalibrationMissing
from search.errors import UnknownQuantizer
from search.quantization.channels import Channels
from search.quantization.histogram import Histogram
from search.quantization.histogram import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Affine:
    """x -> (clamp(round(x / scale) + zero_point, quant_min, quant_max) - zero_point) * scale."""

    scale: float
    zero_point: int
    quant_min: int
    quant_max: int

    def quantize(self, values: Values) -> Values:
        """Return the values as they are stored and read back, same shape; ties round to even."""
        # the reciprocal, as the fused operator has it, so that both round alike
        q = np.round(values * (1 / self.scale)) + self.zero_point
        return (np.clip(q, self.quant_min, self.quant_max) - self.zero_point) * self.scale

    def stored(self) -> Values:
        """Return the values that can be stored, ascending."""
        codes = np.arange(self.quant_min, self.quant_max + 1, dtype=np.float64)
        values: Values = (codes - self.zero_point) * self.scale
        return values

    def describe(self) -> dict[str, object]:
        """Return what a runtime needs, ready for JSON."""
        return {
            "scale": self.scale,
            "zero_point": self.zero_point,
            "quant_min": self.quant_min,
            "quant_max": self.quant_max,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Codebook:
    """x -> the level assigned to x's cell; cells are equal and tile [low, low + cells * width].

    Values outside take the first or the last cell. The thresholds between levels lie on cell
    borders, which makes the lookup exact instead of an approximation of a search.
    """

    low: float
    width: float
    #: (cells,) index into `levels`; two bytes each, since a trial sends it to every shard
    assignment: npt.NDArray[np.uint16]
    #: (at most 2**bit_width,) ascending
    levels: Values
    #: values above it take the top level; None where the data has no bound imposed
    upper_bound: float | None

    def quantize(self, values: Values) -> Values:
        """Return the values as they are stored and read back, same shape."""
        # clip before the conversion: infinity has no integer
        cells = np.clip((values - self.low) / self.width, 0, len(self.assignment) - 1)
        table: Values = self.levels[self.assignment]
        result: Values = table[cells.astype(np.int64)]
        return result

    def stored(self) -> Values:
        """Return the values that can be stored, ascending."""
        return self.levels

    def describe(self) -> dict[str, object]:
        """Return what a runtime needs, ready for JSON: levels and the thresholds between them.

        `low`, `cell_width` and `cells` are the grid whose borders the thresholds are.
        """
        borders = np.flatnonzero(np.diff(self.assignment)) + 1
        return {
            "levels": [float(level) for level in self.levels],
            "thresholds": [float(self.low + self.width * border) for border in borders],
            "upper_bound": self.upper_bound,
            "low": float(self.low),
            "cell_width": float(self.width),
            "cells": len(self.assignment),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class PerChannelAffine:
    """As `Affine`, with a scale and a zero point for each slice along the first dimension."""

    #: (channels,) above 0
    scales: Values
    #: (channels,)
    zero_points: npt.NDArray[np.int64]
    quant_min: int
    quant_max: int

    def quantize(self, values: Values) -> Values:
        """Return values of shape (channels, ...) as they are stored and read back, same shape."""
        column = (-1, *[1] * (values.ndim - 1))
        scales, zeros = self.scales.reshape(column), self.zero_points.reshape(column)
        q = np.round(values * (1 / scales)) + zeros
        return (np.clip(q, self.quant_min, self.quant_max) - zeros) * scales

    def stored(self) -> Values:
        """Return the values that can be stored in some channel, ascending."""
        codes = np.arange(self.quant_min, self.quant_max + 1, dtype=np.float64)
        levels = (codes - self.zero_points[:, None]) * self.scales[:, None]
        return np.unique(levels)

    def describe(self) -> dict[str, object]:
        """Return what a runtime needs, ready for JSON: one entry a channel."""
        return {
            "axis": 0,
            "scales": [float(scale) for scale in self.scales],
            "zero_points": [int(zero_point) for zero_point in self.zero_points],
            "quant_min": self.quant_min,
            "quant_max": self.quant_max,
        }


Parameters = Affine | PerChannelAffine | Codebook


@dataclass(frozen=True, eq=False)
class Calibration:
    """The histograms of every point, in network order, and the bit-widths in play."""

    histograms: Mapping[str, Histogram]
    bit_widths: tuple[int, ...]
    #: point -> the bound that is given instead of fitted, for quantizers that take one
    upper_bounds: Mapping[str, float] = field(default_factory=dict)
    #: of the points that are weights, their values
    weights: Mapping[str, Channels] = field(default_factory=dict)

    def histogram(self, point: str) -> Histogram:
        """Return the point's histogram; raise CalibrationMissing if there is none."""
        if point not in self.histograms:
            raise CalibrationMissing(point)
        return self.histograms[point]

    def channels(self, point: str) -> Channels:
        """Return the weight's values; raise CalibrationMissing if the point is no weight."""
        if point not in self.weights:
            raise CalibrationMissing(point)
        return self.weights[point]

    def alike(self, point: str) -> tuple[Histogram, ...]:
        """Return the histograms of all points that store what this one does, weights or not."""
        is_weight = point in self.weights
        return tuple(
            histogram
            for name, histogram in self.histograms.items()
            if (name in self.weights) == is_weight
        )


class Fit(Protocol):
    """Fits one point's parameters from the calibration."""

    def __call__(self, calibration: Calibration, point: str, *, bit_width: int) -> Parameters:
        """Return at most 2**bit_width levels for the point."""
        ...


@dataclass(frozen=True, slots=True)
class Quantizer:
    """A registered quantizer."""

    name: str
    #: one line for people who choose
    summary: str
    fit: Fit
    #: 0.0 is stored exactly, so that padding and ReLU stay what they were
    keeps_zero: bool
    #: a table of levels is stored beside the values
    stores_codebook: bool = False
    #: a scale for each output channel is stored beside the values
    per_channel: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it can quantize.

        A scale for each channel is for weights alone: in the sum over the channels of an activation
        it would have to be multiplied in for every product, which no integer kernel does.
        """
        return frozenset({Kind.WEIGHT} if self.per_channel else Kind)


Fitter = TypeVar("Fitter", bound=Fit)

_QUANTIZERS: dict[str, Quantizer] = {}


def register(
    name: str,
    *,
    summary: str,
    keeps_zero: bool,
    stores_codebook: bool = False,
    per_channel: bool = False,
) -> Callable[[Fitter], Fitter]:
    """Offer a fit function under a name that requests can use."""

    def add(fit: Fitter) -> Fitter:
        known = Quantizer(name, summary, fit, keeps_zero, stores_codebook, per_channel)
        _QUANTIZERS[name] = known
        return fit

    return add


def registered() -> tuple[Quantizer, ...]:
    """Return all quantizers, by name."""
    return tuple(_QUANTIZERS[name] for name in sorted(_QUANTIZERS))


def get(name: str) -> Quantizer:
    """Return the quantizer; raise UnknownQuantizer if there is none of that name."""
    if name not in _QUANTIZERS:
        raise UnknownQuantizer(name, sorted(_QUANTIZERS))
    return _QUANTIZERS[name]
