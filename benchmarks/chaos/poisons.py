"""Models that hurt the worker that searches them, as an installed package would offer them.

Each is the embedded network with one operator more, which does no harm to values in float: what
happens happens in a trial. Real processes die, real memory is asked for, real steps hang.
"""

import ctypes
import os
import re
import signal
import time
from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch import nn

from workers.loaded import LoadedModel
from workers.models.embedded import NAME
from workers.models.embedded import EmbeddedModels
from workers.zoo.digits import DigitsVGG

#: more different values than eight bits can tell apart
_ROUNDED = 256
GIB = 2**30
#: addresses that a worker may have, and what a greedy operator asks for an image; with the library
#: itself, sixteen images are too many and eight are not
ADDRESSES = 16 * GIB
GREEDY = 1 * GIB
INSATIABLE = 32 * GIB
#: what torch says where a device is full
DEVICE_FULL = "CUDA out of memory. Tried to allocate 2.00 GiB."


def _segfault(_: Tensor) -> None:
    ctypes.string_at(0)


def _killed(_: Tensor) -> None:
    # what the system does to a process when memory runs out
    os.kill(os.getpid(), signal.SIGKILL)


def _hang(_: Tensor) -> None:
    while True:
        time.sleep(3600)


def _stuck(_: Tensor) -> None:
    # backtracks for years, and meanwhile nothing else of Python runs
    re.match("(a+)+$", "a" * 60 + "b")


def _allocate(images: Tensor, *, size: int) -> None:
    torch.empty(len(images) * size, dtype=torch.uint8)


def _device_full(_: Tensor) -> None:
    raise torch.OutOfMemoryError(DEVICE_FULL)


#: what they do to the worker, by the name of the model
HARMS: Mapping[str, Callable[[Tensor], None]] = {
    "segfault": _segfault,
    "killed": _killed,
    "hang": _hang,
    "stuck": _stuck,
    "out-of-memory": partial(_allocate, size=INSATIABLE),
    "half-fits": partial(_allocate, size=GREEDY),
    "device-full": _device_full,
}
NAN_WEIGHTS, NAN_ACTIVATIONS = "nan-weights", "nan-activations"
PACKAGE = "poison"


@torch.library.custom_op("poison::harm", mutates_args=())
def harm(images: Tensor, name: str) -> Tensor:
    """Return the tensor, shape (n, ...), after doing harm if it was rounded."""
    values = images.flatten().sort().values
    if 1 < 1 + int((values.diff() > 0).sum()) <= _ROUNDED:
        HARMS[name](images)
    return images.clone()


@harm.register_fake
def _(images: Tensor, name: str) -> Tensor:  # noqa: ARG001 - the operator's
    return torch.empty_like(images)


class Poisoned(nn.Module):
    """The embedded network, with something after its first layer."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        base = EmbeddedModels().load(NAME, None).network
        assert isinstance(base, DigitsVGG)
        layers = [*base.features.children()]
        self.first, self.rest = nn.Sequential(*layers[:3]), nn.Sequential(*layers[3:])
        self.classifier = base.classifier
        self._between = between

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 10) for images (n, 1, 8, 8)."""
        logits: Tensor = self.classifier(self.rest(self._between(self.first(images))).flatten(1))
        return logits


def harming(name: str) -> LoadedModel:
    """Return the model of that name in HARMS."""
    return _loaded(Poisoned(lambda images: torch.ops.poison.harm(images, name)))


def nan_weights() -> LoadedModel:
    """Return one with a weight that is no number."""
    network = Poisoned(lambda images: images)
    with torch.no_grad():
        next(network.classifier.parameters())[3, 5] = torch.nan
    return _loaded(network)


def nan_activations() -> LoadedModel:
    """Return one whose weights are finite and whose activations are not."""
    return _loaded(Poisoned(lambda images: (images - 1).sqrt()))


def _loaded(network: nn.Module) -> LoadedModel:
    return LoadedModel(network=network, input_shape=(1, 8, 8), classes=10)


def install(folder: Path) -> None:
    """Put a package into the folder that offers all of them, as its installer would."""
    info = folder / f"{PACKAGE}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
    own = {name: name.replace("-", "_") for name in (*HARMS, NAN_WEIGHTS, NAN_ACTIVATIONS)}
    lines = [f"{PACKAGE}/{name} = {__name__}:{made}" for name, made in own.items()]
    (info / "entry_points.txt").write_text("\n".join(["[bitfloor.models]", *lines, ""]))


segfault = partial(harming, "segfault")
killed = partial(harming, "killed")
hang = partial(harming, "hang")
stuck = partial(harming, "stuck")
out_of_memory = partial(harming, "out-of-memory")
half_fits = partial(harming, "half-fits")
device_full = partial(harming, "device-full")
