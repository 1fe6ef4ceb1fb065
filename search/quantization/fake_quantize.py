"""Fake quantization: tensors keep their dtype and take only the values that would be stored."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch import nn

from search.quantization.quantizer import Affine
from search.quantization.quantizer import Codebook
from search.quantization.quantizer import Parameters
from search.quantization.quantizer import PerChannelAffine

Operator = Callable[[Tensor], Tensor]


def operator(parameters: Parameters, device: torch.device) -> Operator:
    """Return the fastest operator for these parameters; tables are placed on `device` once."""
    if isinstance(parameters, Affine):
        return _affine(parameters)
    if isinstance(parameters, PerChannelAffine):
        return _per_channel(parameters, device)
    return _codebook(parameters, device)


def _affine(parameters: Affine) -> Operator:
    def apply(x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(
            x,
            parameters.scale,
            parameters.zero_point,
            parameters.quant_min,
            parameters.quant_max,
        )

    return apply


def _per_channel(parameters: PerChannelAffine, device: torch.device) -> Operator:
    scales = torch.as_tensor(parameters.scales, dtype=torch.float32, device=device)
    zero_points = torch.as_tensor(parameters.zero_points, dtype=torch.int32, device=device)

    def apply(x: Tensor) -> Tensor:
        return torch.fake_quantize_per_channel_affine(
            x, scales, zero_points, 0, parameters.quant_min, parameters.quant_max
        )

    return apply


def _codebook(parameters: Codebook, device: torch.device) -> Operator:
    table = torch.as_tensor(
        parameters.levels[parameters.assignment], dtype=torch.float32, device=device
    )
    low, inverse, last = parameters.low, 1 / parameters.width, len(parameters.assignment) - 1

    def apply(x: Tensor) -> Tensor:
        # clamped as float, since infinity has no integer, and as integer, since NaN has none
        # either and an index out of range ends the whole process on a GPU
        cells = torch.sub(x, low).mul_(inverse).clamp_(0, last).to(torch.int32).clamp_(0, last)
        # a flat index_select by int32 is as fast as the fused affine operator; bucketize is not
        return table.index_select(0, cells.reshape(-1)).view(x.shape).to(x.dtype)

    return apply


class FakeQuantize(nn.Module):
    """A place in the graph where an operator can be switched on; off, it returns its input."""

    def __init__(self) -> None:
        super().__init__()
        self.operator: Operator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the input as it would be stored and read back."""
        return x if self.operator is None else self.operator(x)


class FakeQuantizeConstant(FakeQuantize):
    """A place that always sees the same tensor, which is rounded once for every operator."""

    def __init__(self) -> None:
        super().__init__()
        self._rounded: tuple[Operator, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the constant as it would be stored and read back."""
        if self.operator is None:
            # not kept: a second copy of all weights is worth its memory only while it is read
            self._rounded = None
            return x
        if self._rounded is None or self._rounded[0] is not self.operator:
            # a normal tensor even if the first pass is one for inference, since later ones need not
            with torch.inference_mode(mode=False), torch.no_grad():
                self._rounded = (self.operator, self.operator(x))
        return self._rounded[1]
