"""Options of points: fitted when first used and kept, learned from elsewhere, or given."""

from collections.abc import Iterable
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


#: what an option of a point was fitted to
Known = tuple[str, QuantizerConfig, Parameters]


class KnownOptions:
    """Parameters by (point, option), fitted elsewhere; a search uses the same ones repeatedly."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._parameters: dict[tuple[str, QuantizerConfig], Parameters] = {}
        self._operators: dict[tuple[str, QuantizerConfig], Operator] = {}

    def learn(self, known: Iterable[Known]) -> None:
        """Take these over; what was known of an option before stays."""
        for point, config, parameters in known:
            self._parameters.setdefault((point, config), parameters)

    def parameters(self, point: str, config: QuantizerConfig) -> Parameters:
        """Return the fitted parameters of one option, which was learned."""
        return self._parameters[point, config]

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


class FittedOptions(KnownOptions):
    """Parameters by (point, option), fitted to a calibration when first asked for."""

    def __init__(self, calibration: Calibration, device: torch.device) -> None:
        super().__init__(device)
        self.calibration = calibration

    def parameters(self, point: str, config: QuantizerConfig) -> Parameters:
        """Return the fitted parameters of one option."""
        if (point, config) not in self._parameters:
            fitted = catalog.fit(self.calibration, point, config=config)
            self._parameters[point, config] = fitted
        return self._parameters[point, config]

    def known(self, options: Iterable[tuple[str, QuantizerConfig]]) -> tuple[Known, ...]:
        """Return what these options are fitted to, for a `KnownOptions` to learn."""
        return tuple((point, config, self.parameters(point, config)) for point, config in options)


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
