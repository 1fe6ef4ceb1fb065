"""Joins, lifetimes and layers of networks small enough to read off by hand."""

from functools import partial

import torch
from torch import Tensor
from torch import nn

from search.quantization.capture import capture
from search.quantization.structure import Layer

layer = partial(Layer, linear=False, reads=frozenset())


class Residual(nn.Module):
    """Two convolutions around a shortcut, then a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, padding=1)
        self.body = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(2 * 16, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.stem(images))
        x = torch.relu(self.body(x) + x)
        logits: Tensor = self.head(x.flatten(1))
        return logits


class Fire(nn.Module):
    """A squeeze, two expansions side by side, pooled on the average, joined with that."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(1, 2, 1)
        self.left = nn.Conv2d(2, 3, 1)
        self.right = nn.Conv2d(2, 3, 3, padding=1)
        self.head = nn.Conv2d(8, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.squeeze(images))
        mean = nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
        joined = torch.cat([self.left(x), self.right(x), mean], 1)
        logits: Tensor = self.head(joined).mean((2, 3))
        return logits


class TestResidual:
    network = capture(Residual(), torch.rand(2, 1, 4, 4))

    def test_the_sum_is_a_point_of_its_own_after_its_activation(self) -> None:
        assert [(p.name, p.elements) for p in self.network.points] == [
            ("stem", 32),
            ("body", 32),
            ("add", 32),
            ("head", 3),
        ]

    def test_both_sides_of_the_sum_are_joined(self) -> None:
        assert self.network.structure.joins == (frozenset({"stem", "body"}),)

    def test_the_shortcut_stays_alive_until_the_sum(self) -> None:
        assert self.network.structure.alive == (
            frozenset({"stem"}),
            frozenset({"stem", "body"}),
            frozenset({"stem", "body", "add"}),
            frozenset({"add", "head"}),
        )

    def test_layers_know_their_weights_and_what_they_read(self) -> None:
        assert self.network.structure.layers == (
            layer(point="stem", weights=18, channels=2),
            layer(point="body", weights=36, channels=2, reads=frozenset({"stem"})),
            layer(point="head", weights=96, channels=3, linear=True, reads=frozenset({"add"})),
        )


class TestFire:
    network = capture(Fire(), torch.rand(2, 1, 4, 4))

    def test_of_a_concatenation_only_what_is_no_point_yet_becomes_one(self) -> None:
        names = {p.name: p.elements for p in self.network.points}
        assert names == {"squeeze": 32, "avg_pool2d": 32, "left": 48, "right": 48, "head": 48}

    def test_its_parts_are_joined(self) -> None:
        assert self.network.structure.joins == (frozenset({"left", "right", "avg_pool2d"}),)
