"""The embedded network and its data: handwritten digits, so that a demo needs no network.

scikit-learn bundles 1,797 labelled 8×8 images (UCI Optical Recognition of Handwritten Digits). They
are split once, stratified by class, into disjoint parts: the network was trained on the first and
has never seen the others.
"""

from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit
from torch import Tensor
from torch import nn

SIZE = 8  # pixels a side
CLASSES = 10
WEIGHTS = "digits_vgg.safetensors"
#: images per part, in order; they add up to all 1,797
TRAINING, CALIBRATION, SEARCH, CERTIFICATION = 797, 100, 450, 450
_SPLIT_SEED = 2017


class DigitsVGG(nn.Module):
    """VGG's plan at an eighth of its size: seven 3×3 convolutions, three poolings, two linear."""

    PLAN = (16, 16, "pool", 32, 32, "pool", 64, 64, 64, "pool")

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in self.PLAN:
            if isinstance(width, int):
                layers += [
                    nn.Conv2d(channels, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, CLASSES)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, 10) for images (n, 1, 8, 8) in [0, 1]."""
        logits: Tensor = self.classifier(self.features(images).flatten(1))
        return logits


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the images."""

    #: (n, 1, 8, 8) float32 in [0, 1]
    images: Tensor
    #: (n,) int64
    labels: Tensor


def parts() -> tuple[Part, Part, Part, Part]:
    """Return the training, calibration, search and certification parts, disjoint and stratified."""
    digits = load_digits()
    images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target, dtype=torch.int64)
    rest = np.arange(len(labels))
    chosen = []
    for size in (TRAINING, CALIBRATION, SEARCH):
        split = StratifiedShuffleSplit(1, train_size=size, random_state=_SPLIT_SEED)
        taken, left = next(split.split(rest, labels[rest]))
        chosen.append(rest[taken])
        rest = rest[left]
    chosen.append(rest)
    first, second, third, fourth = (Part(images[index], labels[index]) for index in chosen)
    return first, second, third, fourth


def weights() -> bytes:
    """Return the trained weights that ship with bitfloor, in safetensors format."""
    return resources.files(__package__).joinpath(WEIGHTS).read_bytes()
