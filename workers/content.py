"""What a search depends on, as one digest: the request, the network, the images, the release."""

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version

import torch

from search.quantization.capture import CapturedNetwork
from search.spec import JobSpec
from service.store import codec
from workers.data import Dataset
from workers.data import Split
from workers.data import raw_bytes

FORMAT = 1  # raised when the same contents would be searched otherwise, within one release
CHUNK = 1024  # images hashed at a time: they may lie on disk

#: of a request, what changes nothing about what is found
_IDLE = ("trial_timeout",)


def key(job: JobSpec, network: CapturedNetwork, *, dataset: Dataset, device: torch.device) -> str:
    """Return 64 hexadecimal digits, the same only for searches that find the same.

    Names are looked behind: a model or dataset whose files were replaced is another one.
    """
    asked = {name: value for name, value in codec.spec_document(job).items() if name not in _IDLE}
    release = [FORMAT, version("bitfloor"), torch.__version__, device.type]
    seen = hashlib.sha256()
    seen.update(json.dumps([release, asked, network.module.code]).encode())
    for name, tensor in sorted(network.module.state_dict().items()):
        seen.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        seen.update(raw_bytes(tensor))
    for split in dataset:
        seen.update(repr(split.preprocessing).encode())
        for part in _parts(split):
            seen.update(raw_bytes(part))
    return seen.hexdigest()


def _parts(split: Split) -> Iterator[torch.Tensor]:
    """Yield images and labels in their order, a few at a time."""
    yield split.labels[split.index]
    for some in torch.split(split.index, CHUNK):
        yield split.images[some]
