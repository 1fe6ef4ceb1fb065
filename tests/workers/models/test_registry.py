"""One place to load any model from, which never hands out weights that are not numbers."""

import timeit
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from workers.errors import NonFiniteWeights
from workers.errors import UnknownModel
from workers.loaded import LoadedModel
from workers.models.registry import Models
from workers.models.registry import open_models
from workers.models.source import Details


@dataclass(frozen=True)
class Made:
    """A source of what a test made."""

    networks: Mapping[str, nn.Module]
    summary: str = "made here"

    def owns(self, name: str) -> bool:
        return name in self.networks

    def offers(self) -> Mapping[str, Details]:
        return {name: {"source": "test", "summary": self.summary} for name in self.networks}

    def load(self, name: str, weights: str | None) -> LoadedModel:
        return LoadedModel(network=self.networks[name])


class TestModels:
    def test_they_are_offered_together_by_name(self) -> None:
        models = Models((Made({"c": nn.Flatten(), "a": nn.Flatten()}), Made({"b": nn.Flatten()})))
        assert [*models.offers()] == ["a", "b", "c"]

    def test_of_two_with_one_name_the_first_has_it(self) -> None:
        first, second = nn.Flatten(), nn.Flatten()
        models = Models((Made({"a": first}, "first"), Made({"a": second}, "second")))
        assert models.load("a").network is first
        assert models.offers()["a"]["summary"] == "first"

    def test_what_is_loaded_is_in_eval_mode(self) -> None:
        network = nn.Sequential(nn.Dropout())
        Models((Made({"a": network}),)).load("a")
        assert not network[0].training

    def test_an_unknown_name_is_told_with_the_known(self) -> None:
        with pytest.raises(UnknownModel, match="'z'; this worker offers a, b"):
            Models((Made({"a": nn.Flatten(), "b": nn.Flatten()}),)).load("z")

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    def test_weights_that_are_not_numbers_are_refused_with_their_name(self, value: float) -> None:
        network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        nn.init.constant_(network.get_parameter("1.weight"), value)
        with pytest.raises(NonFiniteWeights, match=r"1\.weight of a holds NaN or infinity"):
            Models((Made({"a": network}),)).load("a")

    def test_so_is_a_statistic_but_not_a_mask(self) -> None:
        network = nn.BatchNorm2d(2)
        network.register_buffer("mask", torch.full((2,), -float("inf")))
        models = Models((Made({"a": network}),))
        assert models.load("a").network is network
        network.get_buffer("running_mean")[0] = float("nan")
        with pytest.raises(NonFiniteWeights, match="running_mean"):
            models.load("a")

    def test_so_is_a_tensor_of_a_program(self, tmp_path: Path) -> None:
        network = nn.Linear(2, 2)
        nn.init.constant_(network.bias, float("nan"))
        program = torch.export.export(network, (torch.rand(3, 2),))
        torch.export.save(program, tmp_path / "nan.pt2")
        with pytest.raises(NonFiniteWeights, match="bias of program/nan"):
            open_models(tmp_path).load("program/nan")


class TestOpenModels:
    def test_all_sources_are_there_without_a_root(self, tmp_path: Path) -> None:
        offers = open_models(tmp_path / "nowhere").offers()
        assert {"digits-vgg", "torchvision/vgg16", "torchvision/vit_b_16"} <= {*offers}

    def test_listing_a_hundred_models_takes_less_than_a_second(self, tmp_path: Path) -> None:
        for number in range(120):
            (tmp_path / f"net{number}.pt2").touch()
        found: list[int] = []

        def listed() -> None:
            found.append(len(open_models(tmp_path).offers()))

        listed()  # imports torchvision, and timm where it is installed
        # the fastest, for the machine may be busy with other tests
        assert min(timeit.repeat(listed, number=1, repeat=3)) < 1
        assert min(found) >= 200

    @pytest.mark.parametrize("name", ["", "..", "torchvision", "resnet18", "digits-vgg/../x"])
    def test_a_name_of_no_source_is_unknown(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UnknownModel):
            open_models(tmp_path).load(name)
