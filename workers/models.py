"""The models this worker offers."""

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from workers.errors import CorruptWeights
from workers.errors import UnknownModel
from workers.registry import Registry

models: Registry[nn.Module] = Registry(UnknownModel)


@models.register(
    "digits-vgg",
    {
        "summary": "VGG-style network for 8×8 handwritten digits, ships with bitfloor",
        "input_shape": [1, 8, 8],
        "classes": 10,
        "layers": "7 convolutions with batch-norm, 2 linear",
    },
)
def digits_vgg() -> nn.Module:
    """Return the embedded network with its weights."""
    from workers.zoo import digits  # noqa: PLC0415  # scikit-learn is loaded only when asked for

    return with_weights(digits.DigitsVGG(), digits.weights(), name="digits-vgg")


def with_weights(model: nn.Module, data: bytes, *, name: str) -> nn.Module:
    """Load the safetensors `data` into the model, in-place, and return it.

    Raises CorruptWeights when the bytes are damaged or are those of another network.
    """
    try:
        model.load_state_dict(safetensors.torch.load(data))
    except (SafetensorError, RuntimeError) as error:
        # torch's first line says nothing, its second what does not fit
        why = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise CorruptWeights(name, why) from error
    return model.eval()
