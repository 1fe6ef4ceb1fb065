"""Fake quantization: tensors keep their dtype and take only the values that would be stored."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch import nn

from search.quantization.quantizer import Affine
from search.quantization.quantizer import Codebook
from search.quantization.quantizer import Parameters

Operator = Callable[[Tensor], Tensor]


def operator(parameters: Parameters, device: torch.device) -> Operator:
    """Return the fastest operator for these parameters; tables are placed on `device` once."""
    if isinstance(parameters, Affine):
        return _affine(parameters)
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
