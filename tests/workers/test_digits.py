"""The embedded network knows images it never saw, and its splits share none."""

from pathlib import Path

import torch

from search.preprocessing import Preprocessing
from tests.contracts.dataset_source import surroundings
from workers.datasets.digits import DigitsSource
from workers.loaded import runnable
from workers.models.registry import open_models
from workers.zoo import digits

MODELS = open_models(Path("no-such-folder"))


class TestParts:
    def test_they_are_disjoint_and_make_up_all_images(self) -> None:
        seen = [
            {tuple(image.flatten().tolist()) for image in part.images} for part in digits.parts()
        ]
        assert [len(part.labels) for part in digits.parts()] == [797, 100, 450, 450]
        for i, one in enumerate(seen):
            for other in seen[i + 1 :]:
                assert not one & other

    def test_every_part_has_every_class(self) -> None:
        for part in digits.parts():
            assert len(torch.unique(part.labels)) == digits.CLASSES


class TestDigitsVgg:
    def test_it_has_seven_convolutions_and_two_linear_layers(self) -> None:
        network = MODELS.load("digits-vgg").network
        assert isinstance(network, torch.nn.Module)
        layers = [type(module).__name__ for module in network.modules()]
        assert (layers.count("Conv2d"), layers.count("Linear")) == (7, 2)

    def test_it_is_right_on_at_least_97_percent_of_the_unseen_images(self, tmp_path: Path) -> None:
        model = runnable(MODELS.load("digits-vgg").network)
        data = DigitsSource().read("", surroundings(tmp_path), preprocessing=Preprocessing())
        assert data.fixed is not None
        _, *judging = data.fixed
        with torch.inference_mode():
            for index in judging:
                found = model(torch.from_numpy(data.pixels[index])).argmax(1)
                assert float((found.numpy() == data.labels[index]).mean()) >= 0.97
