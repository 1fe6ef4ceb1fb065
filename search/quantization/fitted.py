"""Every option of every point, fitted when first used and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.quantization import catalog
from search.quantization import fake_quantize
from search.quantization.fake_quantize import Operator
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Parameters


class Options(Protocol):
    """What tells how each option rounds."""

    def operators(self, allocation: BitAllocation) -> Mapping[str, Operator]:
        """Return the operators of an allocation, by point."""
        ...


class FittedOptions:
    """Parameters and operators by (point, option); a search asks for the same ones repeatedly."""

    def __init__(self, calibration: Calibration, device: torch.device) -> None:
        self.calibration = calibration
        self.device = device
        self._parameters: dict[tuple[str, QuantizerConfig], Parameters] = {}
        self._operators: dict[tuple[str, QuantizerConfig], Operator] = {}

    def parameters(self, point: str, config: QuantizerConfig) -> Parameters:
        """Return the fitted parameters of one option."""
        key = (point, config)
        if key not in self._parameters:
            self._parameters[key] = catalog.fit(self.calibration, point, config=config)
        return self._parameters[key]

    def operators(self, allocation: BitAllocation) -> Mapping[str, Operator]:
        """Return the operators of an allocation, by point."""
        return {point: self._operator(point, config) for point, config in allocation.items()}

    def _operator(self, point: str, config: QuantizerConfig) -> Operator:
        key = (point, config)
        if key not in self._operators:
            self._operators[key] = fake_quantize.operator(
                self.parameters(point, config), self.device
            )
        return self._operators[key]


@dataclass(frozen=True, eq=False)
class GivenOptions:
    """One option a point, whose parameters were fitted before, as a best document has them."""

    parameters: Mapping[str, Parameters]
    device: torch.device

    def operators(self, allocation: BitAllocation) -> Mapping[str, Operator]:
        """Return the operators of the points that the allocation quantizes, by point."""
        return {
            point: fake_quantize.operator(self.parameters[point], self.device)
            for point in allocation.points()
        }
