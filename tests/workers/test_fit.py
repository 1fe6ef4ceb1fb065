"""What does not belong together is refused before anything is measured, and named."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch import nn

from search.errors import InvalidSpec
from search.errors import UnsupportedNetwork
from search.preprocessing import Preprocessing
from search.spec import JobSpec
from workers.data import CPU
from workers.data import Dataset
from workers.data import Split
from workers.errors import MismatchedData
from workers.fit import require_fit

JOB = JobSpec(model="net", dataset="folder/pets", tolerance=0.02)


class Returning(nn.Module):
    """Returns what it is told to, after a layer for images of one channel."""

    def __init__(self, returned: object) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3)
        self.returned = returned

    def forward(self, images: Tensor) -> object:
        self.layer(images)
        return self.returned


def dataset(
    channels: int = 1, *, largest: int = 1, preprocessing: Preprocessing | None = None
) -> Dataset:
    images = torch.zeros(6, channels, 4, 4, dtype=torch.uint8)
    labels = torch.tensor([0, 0, 0, 0, 0, largest])
    whole = Split(images, labels, torch.arange(6), CPU, preprocessing or Preprocessing())
    return Dataset(whole, replace(whole, index=torch.arange(3)), whole)


class TestRequireFit:
    def test_what_fits_passes(self) -> None:
        require_fit(JOB, Returning(torch.zeros(2, 10)), dataset=dataset(largest=9))

    @pytest.mark.parametrize(
        "data, words",
        [
            (dataset(channels=3), r"images of shape \(3, 4, 4\): "),
            (dataset(largest=10), "labels go up to 10, the model has 10 classes"),
            (
                dataset(preprocessing=Preprocessing(mean=(0.1,) * 3, std=(1.0,) * 3)),
                "images have 1 channels, mean and std of the preprocessing have 3",
            ),
        ],
        ids=["channels", "classes", "normalization"],
    )
    def test_data_that_does_not_fit_is_refused(self, data: Dataset, words: str) -> None:
        with pytest.raises(MismatchedData, match=rf"folder/pets does not fit net: {words}"):
            require_fit(JOB, Returning(torch.zeros(2, 10)), dataset=data)

    @pytest.mark.parametrize(
        "returned, words",
        [
            ((torch.zeros(2, 3), torch.zeros(2, 3)), "a tuple of Tensor, Tensor"),
            ({"out": 1, "aux": 2}, "a dict of 'out', 'aux'"),
            (torch.zeros(2, 3, 4, 4), r"a tensor of shape \(2, 3, 4, 4\)"),
            (None, "a NoneType"),
        ],
    )
    def test_a_network_that_returns_no_logits_is_told_what_it_returned(
        self, returned: object, words: str
    ) -> None:
        with pytest.raises(UnsupportedNetwork, match=rf"net: it returns {words}; logits"):
            require_fit(JOB, Returning(returned), dataset=dataset())

    def test_five_of_five_classes_are_no_metric(self) -> None:
        job = replace(JOB, metric="top5")
        require_fit(job, Returning(torch.zeros(2, 6)), dataset=dataset())
        with pytest.raises(InvalidSpec, match="metric: top5 of 5 classes is always right"):
            require_fit(job, Returning(torch.zeros(2, 5)), dataset=dataset())
