"""Labelled images as a search needs them: three disjoint splits of tensors."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Some labelled images, already preprocessed."""

    #: (n, channels, height, width) as the model takes them
    images: Tensor
    #: (n,) int64 class indices
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Disjoint splits, so that no image both guides the search and judges its result."""

    calibration: Split
    search: Split
    certification: Split
