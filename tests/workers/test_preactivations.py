"""Figure 1 shows what goes into the activation function, to the last value."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch import nn

from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from workers import preactivations


class Small(nn.Module):
    """A convolution with batch-norm and ReLU, an addition with ReLU, and a layer without one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 5)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        once = torch.relu(self.before(images))
        twice = torch.relu(once + self.second(once))
        logits: Tensor = self.last(twice.mean((2, 3)))
        return logits

    def before(self, images: Tensor) -> Tensor:
        """Return what goes into the first ReLU."""
        normed: Tensor = self.norm(self.first(images))
        return normed


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model() -> Small:
    torch.manual_seed(0)
    made = Small()
    made.norm.running_mean = torch.linspace(-1, 1, 4)
    return made.eval()


@pytest.fixture(scope="module")
def network(model: Small, images: Tensor) -> CapturedNetwork:
    return capture(model, images[:2])


class TestHistograms:
    def test_the_first_is_that_of_the_tensor_before_relu(
        self, network: CapturedNetwork, model: Small, images: Tensor
    ) -> None:
        found = preactivations.histograms(network, lambda: batches(images))["first"]
        with torch.inference_mode():
            before = model.before(images)
        assert found.counts.sum() == before.numel()
        assert (found.low, found.high) == pytest.approx(
            (float(before.min()), float(before.max())), rel=1e-5
        )
        mean = np.average(found.centers, weights=found.counts)
        assert mean == pytest.approx(float(before.mean()), abs=found.width)

    def test_what_is_above_zero_is_what_is_stored(
        self, network: CapturedNetwork, images: Tensor
    ) -> None:
        found = preactivations.histograms(network, lambda: batches(images))
        stored = calibrate(network, lambda: batches(images), bit_widths=(8,)).histograms
        assert found.keys() == stored.keys()
        for point in ("first", "add"):
            assert stored[point].low == 0
            assert found[point].low < 0
            assert found[point].high == stored[point].high
        # no activation function follows
        assert (found["last"].counts == stored["last"].counts).all()

    def test_a_point_that_is_not_finite_has_none(
        self, network: CapturedNetwork, images: Tensor
    ) -> None:
        broken = images.clone()
        broken[0, 0, 0, 0] = torch.inf
        found = preactivations.histograms(network, lambda: batches(broken))
        assert "first" not in found


def batches(images: Tensor) -> Iterator[Tensor]:
    """Yield the images in batches of different sizes."""
    yield from torch.split(images, 5)
