"""Every model that a worker can load, by name, whatever source it comes from."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch import nn

from workers.errors import NonFiniteWeights
from workers.errors import UnknownModel
from workers.loaded import LoadedModel
from workers.models.embedded import EmbeddedModels
from workers.models.installed import InstalledModels
from workers.models.programs import Programs
from workers.models.source import Details
from workers.models.source import ModelSource
from workers.models.timm_models import TimmModels
from workers.models.torchvision_models import TorchvisionModels
from workers.roots import Root


@dataclass(frozen=True, slots=True)
class Models:
    """Sources of models; where two own the same name, the first has it."""

    sources: tuple[ModelSource, ...]

    def offers(self) -> Mapping[str, Details]:
        """Return everything that can be loaded now, by name."""
        offered: dict[str, Details] = {}
        for source in reversed(self.sources):
            offered |= source.offers()
        return dict(sorted(offered.items()))

    def load(self, name: str, weights: str | None = None) -> LoadedModel:
        """Return the model loaded afresh, on the CPU and in eval mode.

        Raises UnknownModel, NonFiniteWeights, or what the source raises.
        """
        for source in self.sources:
            if source.owns(name):
                loaded = source.load(name, weights)
                require_finite(name, loaded)
                if isinstance(loaded.network, nn.Module):
                    loaded.network.eval()
                return loaded
        raise UnknownModel(name, tuple(self.offers()))


def open_models(folder: Path) -> Models:
    """Return the models of bitfloor, its libraries, this folder and installed packages."""
    root = Root(folder, "model root", "BITFLOOR_MODEL_ROOT")
    return Models(
        (
            EmbeddedModels(),
            TorchvisionModels(root),
            TimmModels(root),
            Programs(root),
            InstalledModels(),
        )
    )


def require_finite(name: str, loaded: LoadedModel) -> None:
    """Raise NonFiniteWeights for the first parameter that is not finite, or buffer that is NaN."""
    for key, parameter in loaded.network.named_parameters():
        if not torch.isfinite(parameter).all():
            raise NonFiniteWeights(name, key)
    for key, buffer in _buffers(loaded):
        # infinity is a common mask
        if torch.isnan(buffer).any():
            raise NonFiniteWeights(name, key)


def _buffers(loaded: LoadedModel) -> Iterable[tuple[str, Tensor]]:
    yield from loaded.network.named_buffers()
    if not isinstance(loaded.network, nn.Module):
        constants = loaded.network.constants.items()
        yield from ((name, value) for name, value in constants if isinstance(value, Tensor))
