"""Joins, lifetimes and layers of networks small enough to read off by hand."""

from functools import partial

import torch
from torch import Tensor
from torch import nn

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.cost import BitOperations
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
            layer(point="stem", weight="stem.weight", weights=18, channels=2),
            layer(
                point="body",
                weight="body.weight",
                weights=36,
                channels=2,
                reads=frozenset({"stem"}),
            ),
            layer(
                point="head",
                weight="head.weight",
                weights=96,
                channels=3,
                linear=True,
                reads=frozenset({"add"}),
            ),
        )


class TestFire:
    network = capture(Fire(), torch.rand(2, 1, 4, 4))

    def test_of_a_concatenation_only_what_is_no_point_yet_becomes_one(self) -> None:
        names = {p.name: p.elements for p in self.network.points}
        assert names == {"squeeze": 32, "avg_pool2d": 32, "left": 48, "right": 48, "head": 48}

    def test_its_parts_are_joined(self) -> None:
        assert self.network.structure.joins == (frozenset({"left", "right", "avg_pool2d"}),)

    def test_a_layer_that_reads_several_counts_with_the_widest(self) -> None:
        head = self.network.structure.layers[-1]
        assert head.reads == {"left", "right", "avg_pool2d"}
        allocation = BitAllocation.of(
            {
                "left": QuantizerConfig("affine", 2),
                "right": QuantizerConfig("affine", 6),
                "avg_pool2d": QuantizerConfig("affine", 4),
                "head.weight": QuantizerConfig("affine", 3),
            }
        )
        operators = self.network.structure.operators(self.network.points)[-1:]
        # 3 channels of 4 × 4 values, each of 8 products
        assert BitOperations(operators=operators).cost(allocation) == 3 * 16 * 8 * 6 * 3


class Mixed(nn.Module):
    """A strided convolution, one in groups, and a linear layer on tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=4)
        self.tokens = nn.Linear(12, 5)

    def forward(self, images: Tensor) -> Tensor:
        x = self.grouped(torch.relu(self.stem(images)))
        logits: Tensor = self.tokens(x.flatten(2).transpose(1, 2)).mean(1)
        return logits


class TestOperators:
    network = capture(Mixed(), torch.rand(2, 3, 8, 6))

    def test_multiply_accumulates_are_those_counted_by_hand(self) -> None:
        stem, grouped, tokens = self.network.structure.operators(self.network.points)
        positions = 4 * 3
        assert stem.macs == 8 * positions * 3 * 9
        assert grouped.macs == 12 * positions * (8 // 4) * 9
        assert tokens.macs == positions * 12 * 5

    def test_they_know_what_they_read(self) -> None:
        stem, grouped, tokens = self.network.structure.operators(self.network.points)
        assert (stem.reads, stem.weight) == (frozenset(), "stem.weight")
        assert (grouped.reads, grouped.weight) == (frozenset({"stem"}), "grouped.weight")
        assert (tokens.reads, tokens.weight) == (frozenset({"grouped"}), "tokens.weight")

    def test_its_bit_operations_come_out_as_by_hand(self) -> None:
        priced = BitOperations(operators=self.network.structure.operators(self.network.points))
        allocation = BitAllocation.of(
            {
                "stem": QuantizerConfig("affine", 4),
                "grouped": QuantizerConfig("affine", 2),
                "stem.weight": QuantizerConfig("affine", 8),
                "tokens.weight": QuantizerConfig("affine", 3),
            }
        )
        # the images and the weight of `grouped` stay at 32 bits
        expected = 2592 * 8 * 32 + 2592 * 32 * 4 + 720 * 3 * 2
        assert priced.cost(allocation) == expected

    def test_the_first_layer_of_vgg16_multiplies_as_often_as_is_known(self) -> None:
        first = capture(nn.Conv2d(3, 64, 3, padding=1), torch.rand(2, 3, 224, 224))
        (conv1_1,) = first.structure.operators(first.points)
        # 64 × 224 × 224 values of 3 × 3 × 3 products
        assert conv1_1.macs == 86_704_128
