"""The models this worker offers."""

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

    try:
        return digits.trained()
    except Exception as error:  # safetensors and torch raise many kinds
        raise CorruptWeights("digits-vgg", str(error).splitlines()[0]) from error
