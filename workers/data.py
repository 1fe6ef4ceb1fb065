"""Labelled images as a search needs them: three disjoint splits, read batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

import torch
from torch import Tensor

from search.preprocessing import Preprocessing

CPU = torch.device("cpu")
#: in the order of a dataset's fields
SPLITS = ("calibration", "search", "certification")

_WHITE = 255.0  # the largest uint8


@dataclass(frozen=True, eq=False)
class Split:
    """Some of the images that all splits share, in an order of their own."""

    #: (n, channels, height, width) of all splits: uint8, or float32 in [0, 1]; on the CPU
    images: Tensor
    #: (n,) int64 class indices of all splits, on the CPU
    labels: Tensor
    #: which of them are in this split, int64
    index: Tensor
    #: where batches are wanted
    device: torch.device = CPU
    #: normalizes batches; its geometry has already been applied
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __len__(self) -> int:
        return len(self.index)

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (images, labels) of at most `size`, in order, on the device.

        Images are float32 (images, channels, height, width), normalized as the network takes them.
        """
        for some in torch.split(self.index, size):
            # bytes go to the device, floats are made there: a quarter of the way
            yield self._normalized(self.images[some].to(self.device)), self.labels_of(some)

    def part(self, start: int, end: int) -> "Split":
        """Return the images from `start` up to `end` of this split's order."""
        return replace(self, index=self.index[start:end])

    def labels_of(self, some: Tensor) -> Tensor:
        """Return the labels of these images, on the device."""
        return self.labels[some].to(self.device)

    def _normalized(self, images: Tensor) -> Tensor:
        if images.dtype == torch.uint8:
            images = images.contiguous().float().div_(_WHITE)
        if self.preprocessing.mean:
            images = (images - self._per_channel(self.preprocessing.mean)).div_(
                self._per_channel(self.preprocessing.std)
            )
        return images

    def _per_channel(self, numbers: tuple[float, ...]) -> Tensor:
        return torch.tensor(numbers, device=self.device).view(-1, 1, 1)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Disjoint splits, so that no image both guides the search and judges its result."""

    calibration: Split
    search: Split
    certification: Split

    def __iter__(self) -> Iterator[Split]:
        return iter((self.calibration, self.search, self.certification))

    def named(self, name: str) -> Split:
        """Return the split of this name, one of SPLITS."""
        return dict(zip(SPLITS, self, strict=True))[name]

    def name_of(self, split: Split) -> str | None:
        """Return the name of the split; None if it is none of these, but made of one."""
        return next((name for name in SPLITS if self.named(name) is split), None)


def raw_bytes(tensor: Tensor) -> bytes:
    """Return the tensor's values as they lie in memory, in order, for a digest of them."""
    flat: bytes = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    return flat
