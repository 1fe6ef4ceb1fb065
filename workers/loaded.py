"""A network ready to be searched, with what its weights say about the images it wants."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import nn
from torch.export import ExportedProgram

from search.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedModel:
    """What loading a model gives, on the CPU and in eval mode."""

    network: nn.Module | ExportedProgram
    #: what the weights were trained with; None: images go in as the dataset has them
    preprocessing: Preprocessing | None = None
    #: (channels, height, width) of the images it was made for; None: not known
    input_shape: tuple[int, int, int] | None = None
    #: how many logits it gives; None: not known
    classes: int | None = None


def on_device(
    network: nn.Module | ExportedProgram, device: torch.device
) -> nn.Module | ExportedProgram:
    """Return the network on the device; a module is moved in-place."""
    if isinstance(network, nn.Module):
        return network.to(device)
    from torch.export.passes import move_to_device_pass  # noqa: PLC0415  # loads the compiler

    return move_to_device_pass(network, device)


def runnable(network: nn.Module | ExportedProgram) -> Callable[[Tensor], Tensor]:
    """Return what takes images and gives logits."""
    # check_guards: text of the file would be run as Python
    return network if isinstance(network, nn.Module) else network.module(check_guards=False)
