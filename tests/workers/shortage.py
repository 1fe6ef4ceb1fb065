"""A process that is allowed ever more memory, and what it can evaluate with that."""

import resource
from pathlib import Path

import torch
from torch import Tensor
from torch import nn

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.quantization.calibration import calibrate
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.shortage import is_shortage
from search.trial import Hits
from service.cli.memory import bound
from workers.data import Split
from workers.evaluators.local import LocalEvaluator
from workers.memory import Room

IMAGES = 64
SIDE = 64
STEP = 4 << 20  # bytes
STEPS = 160


class Wide(nn.Module):
    """A megabyte for every image and layer."""

    def __init__(self) -> None:
        super().__init__()
        # no convolution: the library for those tells too little memory in words of its own
        self.body = nn.Linear(1, 64)
        self.head = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> Tensor:
        pixels = images.flatten(1)[:, :, None]
        logits: Tensor = self.head(self.body(pixels).relu().mean(1))
        return logits


def outcomes() -> list[tuple[str, list[Hits]]]:
    """Return how evaluating went with more memory each time: "short", "halved" or "whole"."""
    # what one try frees goes back, or the next would have it beside what it is allowed
    bound()
    torch.manual_seed(3)
    images = torch.rand(IMAGES, 1, SIDE, SIDE)
    labels = torch.randint(0, 4, (IMAGES,))
    network = capture(Wide().eval(), images[:2])
    calibration = calibrate(network, lambda: torch.split(images, 4), bit_widths=(2,))
    options = FittedOptions(calibration, torch.device("cpu"))
    allocation = BitAllocation.uniform(network.points, QuantizerConfig("affine", 2))
    found: list[tuple[str, list[Hits]]] = []
    for step in range(STEPS):
        room = Room(IMAGES)
        _allow(_size() + step * STEP)
        try:
            split = Split(images, labels, torch.arange(IMAGES))
            evaluator = LocalEvaluator(network, split, options=options, batch=IMAGES, room=room)
            hits = list(evaluator(allocation))
        except (MemoryError, RuntimeError) as error:
            found.append(("short" if is_shortage(error) else str(error), []))
        else:
            found.append(("halved" if room.most else "whole", hits))
        if found[-1][0] == "whole":
            break
    return found


def _allow(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def _size() -> int:
    """Return how many bytes of addresses this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    return pages * resource.getpagesize()
