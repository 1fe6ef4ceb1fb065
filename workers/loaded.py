"""A network ready to be searched, with what its weights say about the images it wants."""

from dataclasses import dataclass

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
