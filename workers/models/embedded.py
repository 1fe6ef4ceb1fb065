"""The network that ships with bitfloor, weights included."""

from collections.abc import Mapping
from dataclasses import dataclass

import safetensors.torch

from workers.errors import WeightsNotTaken
from workers.loaded import LoadedModel
from workers.models import weights as files
from workers.models.source import Details

NAME = "digits-vgg"
_SHAPE = (1, 8, 8)
_CLASSES = 10


@dataclass(frozen=True, slots=True)
class EmbeddedModels:
    """A `ModelSource` that needs neither a file nor a network connection."""

    def owns(self, name: str) -> bool:
        """Tell whether it is the one network."""
        return name == NAME

    def offers(self) -> Mapping[str, Details]:
        """Return the one network."""
        details = {
            "source": "bitfloor",
            "summary": "VGG-style network for 8×8 handwritten digits, ships with bitfloor",
            "input_shape": list(_SHAPE),
            "classes": _CLASSES,
            "layers": "7 convolutions with batch-norm, 2 linear",
        }
        return {NAME: details}

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return the network with its weights; raises WeightsNotTaken, CorruptWeights."""
        from workers.zoo import digits  # noqa: PLC0415  # scikit-learn is loaded only when asked for

        if weights is not None:
            raise WeightsNotTaken(name)
        with files.reading(name):
            state = files.state_of(safetensors.torch.load(digits.weights()), model=name)
        network = files.fit(digits.DigitsVGG(), state, model=name)
        return LoadedModel(network=network, input_shape=_SHAPE, classes=_CLASSES)
