"""Which images calibrate, guide and certify: disjoint, stratified by class, fixed by a seed."""

from dataclasses import replace

import numpy as np
import torch

from search import splits
from search.preprocessing import Preprocessing
from search.spec import JobSpec
from search.splits import Splits
from workers.data import Dataset
from workers.data import Split
from workers.datasets.source import Indices
from workers.datasets.source import Labelled


def dataset(
    data: Labelled, job: JobSpec, *, preprocessing: Preprocessing, device: torch.device
) -> Dataset:
    """Return the splits, their batches on the device, normalized.

    A trial is judged as its images come in, so their order must have nothing to do with them: the
    search split's is random, fixed by the seed.
    """
    images, labels = torch.from_numpy(data.pixels), torch.from_numpy(data.labels)
    calibration, search, certification = (
        Split(images, labels, torch.from_numpy(index), device, preprocessing)
        for index in choose(data, job.splits, seed=job.seed)
    )
    order = torch.randperm(len(search), generator=torch.Generator().manual_seed(job.seed))
    return Dataset(calibration, replace(search, index=search.index[order]), certification)


def choose(data: Labelled, asked: Splits | None, *, seed: int) -> tuple[Indices, Indices, Indices]:
    """Return the indices of the calibration, search and certification images, each sorted.

    A dataset's own splits hold unless the request asks for others. Raises InvalidSpec when there
    are too few images.
    """
    if asked is None and data.fixed is not None:
        return data.fixed
    first, second, third = splits.sizes(asked or Splits(), len(data.labels))
    order = _spread(data.labels, seed=seed)
    return (
        np.sort(order[:first]),
        np.sort(order[first : first + second]),
        np.sort(order[first + second : first + second + third]),
    )


def _spread(labels: Indices, *, seed: int) -> Indices:
    """Return all indices so that any stretch of them has every class in its share.

    Each class is shuffled and laid out evenly from 0 to 1, from a start of its own: a stretch then
    holds its share of the class, rounded up or down.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        mine = order[labels[order] == label]
        place[mine] = (np.arange(len(mine)) + random.random()) / len(mine)
    # no class comes first among equals, since `order` is shuffled
    return order[np.argsort(place[order], kind="stable")]
