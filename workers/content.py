"""What evaluations and whole searches depend on: the network, the images, the release, the request.

Names do not count: a model or dataset whose files were replaced is another one.
"""

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Mapping
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
_IDLE = ("trial_timeout", "parallelism")


def ground(
    job: JobSpec, network: CapturedNetwork, *, dataset: Dataset, device: torch.device
) -> dict[str, str]:
    """Return what evaluations depend on, by field of a request or part of a worker.

    Where all of it is the same, an allocation that rounds alike has the same hits.
    """
    return {
        "model": of_network(network),
        "dataset": _of_images(dataset),
        "metric": job.metric,
        "release": f"bitfloor {version('bitfloor')}.{FORMAT}",
        "torch": torch.__version__,
        "device": device.type,
    }


def key(job: JobSpec, stood_on: Mapping[str, str], *, from_job: str | None = None) -> str:
    """Return 64 hexadecimal digits, the same only for searches that find the same.

    `stood_on` is the ground. A search that starts from an earlier job finds what that lets it.
    """
    asked = {name: value for name, value in codec.spec_document(job).items() if name not in _IDLE}
    started = {} if from_job is None else {"from_job": from_job}
    return hashlib.sha256(json.dumps([asked | started, stood_on]).encode()).hexdigest()


def of_network(network: CapturedNetwork) -> str:
    """Return 64 hexadecimal digits of the network's operators and weights."""
    seen = hashlib.sha256(json.dumps(network.module.code).encode())
    for name, tensor in sorted(network.module.state_dict().items()):
        seen.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        seen.update(raw_bytes(tensor))
    return seen.hexdigest()


def _of_images(dataset: Dataset) -> str:
    seen = hashlib.sha256()
    for split in dataset:
        seen.update(f"{len(split)} {split.preprocessing!r}".encode())
        for part in _parts(split):
            seen.update(raw_bytes(part))
    return seen.hexdigest()


def _parts(split: Split) -> Iterator[torch.Tensor]:
    """Yield images and labels in their order, a few at a time."""
    yield split.labels[split.index]
    for some in torch.split(split.index, CHUNK):
        yield split.images[some]
