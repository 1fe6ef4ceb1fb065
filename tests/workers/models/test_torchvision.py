"""torchvision's networks load with published weights or a file's, heads of any size included."""

from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
from torch import Tensor
from torchvision import models as torchvision

from tests.contracts.model_source import ModelSourceContract
from workers.errors import CorruptWeights
from workers.errors import UnknownModel
from workers.errors import UnknownWeights
from workers.errors import WeightsNeeded
from workers.errors import WeightsUnreachable
from workers.models import architectures
from workers.models.source import ModelSource
from workers.models.torchvision_models import TorchvisionModels
from workers.roots import Root

SMALL = "mobilenet_v3_small"
#: one of every family, and what of it is out of the ordinary
FAMILIES = [
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_x_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "swin_t",
    "swin_v2_t",
    "vgg11_bn",
    "vit_b_32",
]


def built(architecture: str, classes: int = 1000, **options: Any) -> dict[str, Tensor]:
    """Return the random weights of a network as torchvision makes it, auxiliary heads included."""
    torch.manual_seed(1)
    fast = {"init_weights": False} if architecture in {"googlenet", "inception_v3"} else {}
    make = torchvision.get_model_builder(architecture)
    return dict(make(weights=None, num_classes=classes, **fast, **options).state_dict())


def save(root: Root, name: str, state: dict[str, Tensor]) -> str:
    path = root.folder / name
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    return name


class TestTorchvisionModels(ModelSourceContract):
    @pytest.fixture
    def source(self, root: Root) -> ModelSource:
        return TorchvisionModels(root)

    @pytest.fixture
    def loadable(self, source: ModelSource, root: Root) -> tuple[str, str | None]:
        return f"torchvision/{SMALL}", save(root, f"{SMALL}.safetensors", built(SMALL, classes=7))

    def test_every_classifier_and_nothing_else_is_offered(self, source: ModelSource) -> None:
        names = {name.removeprefix("torchvision/") for name in source.offers()}
        assert names == {*torchvision.list_models(module=torchvision)}
        assert {"vgg16", "inception_v3", "vit_b_16"} <= names

    def test_an_offer_lists_published_weights_and_files_of_the_name(
        self, source: ModelSource, loadable: tuple[str, str]
    ) -> None:
        offer = source.offers()[loadable[0]]
        assert offer["weights"] == ["IMAGENET1K_V1", "DEFAULT", loadable[1]]
        assert (offer["input_shape"], offer["classes"]) == ([3, 224, 224], 1000)

    def test_a_fine_tuned_head_has_its_own_classes(
        self, source: ModelSource, loadable: tuple[str, str]
    ) -> None:
        loaded = source.load(*loadable)
        assert (loaded.classes, loaded.input_shape) == (7, (3, 224, 224))

    def test_without_weights_the_published_ones_are_told(self, source: ModelSource) -> None:
        with pytest.raises(WeightsNeeded, match="IMAGENET1K_V1"):
            source.load("torchvision/resnet18", None)

    def test_other_weights_are_told_what_there_is(self, source: ModelSource) -> None:
        with pytest.raises(UnknownWeights, match=r"IMAGENET1K_V1.*\.safetensors"):
            source.load("torchvision/resnet18", "IMAGENET21K")

    @pytest.mark.parametrize(
        "name", ["torchvision/resnet19", "torchvision/fasterrcnn_resnet50_fpn"]
    )
    def test_an_unknown_architecture_is_told_with_close_ones(
        self, source: ModelSource, name: str
    ) -> None:
        with pytest.raises(UnknownModel, match="80 names, closest torchvision/"):
            source.load(name, "IMAGENET1K_V1")

    def test_another_networks_file_is_corrupt(self, source: ModelSource, root: Root) -> None:
        save(root, "mine.pth", built("squeezenet1_1"))
        with pytest.raises(CorruptWeights, match=r"the file lacks .* and \d+ more"):
            source.load("torchvision/resnet18", "mine.pth")

    def test_the_callers_random_numbers_are_left_alone(
        self, source: ModelSource, loadable: tuple[str, str]
    ) -> None:
        before = torch.get_rng_state()
        source.load(*loadable)
        assert torch.equal(torch.get_rng_state(), before)

    def test_half_precision_loads_as_float32(self, source: ModelSource, root: Root) -> None:
        half = {
            name: value.half() if value.is_floating_point() else value
            for name, value in built(SMALL).items()
        }
        loaded = source.load(f"torchvision/{SMALL}", save(root, "half.safetensors", half))
        assert {tensor.dtype for tensor in loaded.network.parameters()} == {torch.float32}


class TestFamilies:
    @pytest.mark.parametrize("architecture", FAMILIES)
    def test_a_file_of_each_family_loads_and_gives_its_logits(
        self, root: Root, architecture: str
    ) -> None:
        state = built(architecture, classes=3)
        file = save(root, f"{architecture}.safetensors", state)
        loaded = TorchvisionModels(root).load(f"torchvision/{architecture}", file)
        assert loaded.classes == 3
        kept = dict(loaded.network.named_parameters())
        assert all(torch.equal(kept[name], state[name]) for name in kept)
        left = {name.partition(".")[0] for name in state if name not in loaded.network.state_dict()}
        assert left <= {"aux1", "aux2", "AuxLogits"}

    def test_inception_scales_its_input_as_its_weights_expect(self, root: Root) -> None:
        file = save(root, "i.pth", built("inception_v3", classes=2))
        loaded = TorchvisionModels(root).load("torchvision/inception_v3", file)
        assert getattr(loaded.network, "transform_input", None) is True
        assert loaded.input_shape == (3, 299, 299)

    def test_a_vision_transformer_of_another_resolution_says_so(self, root: Root) -> None:
        file = save(root, "vit.safetensors", built("vit_b_32", classes=2, image_size=64))
        loaded = TorchvisionModels(root).load("torchvision/vit_b_32", file)
        assert loaded.input_shape == (3, 64, 64)
        assert loaded.preprocessing is not None
        assert (loaded.preprocessing.resize, loaded.preprocessing.crop) == (64, 64)

    def test_the_old_names_of_densenet_are_understood(self) -> None:
        old = OrderedDict({"features.denseblock1.denselayer1.norm.1.weight": torch.ones(1)})
        state = architectures.as_today("densenet121", old)
        assert [*state] == ["features.denseblock1.denselayer1.norm1.weight"]


class TestPreprocessing:
    def test_a_published_file_is_prepared_as_it_was_evaluated(self, root: Root) -> None:
        state = built("resnet50", classes=2)
        source = TorchvisionModels(root)
        old = source.load("torchvision/resnet50", save(root, "resnet50-0676ba61.pth", state))
        mine = source.load("torchvision/resnet50", save(root, "mine.pth", state))
        assert old.preprocessing is not None
        assert mine.preprocessing is not None
        assert (old.preprocessing.resize, mine.preprocessing.resize) == (256, 232)
        assert old.preprocessing.mean == (0.485, 0.456, 0.406)


class TestPublished:
    def test_they_are_fetched_by_name(self, root: Root) -> None:
        asked: list[Any] = []

        def fetch(member: Any) -> object:
            asked.append(member)
            return built(SMALL)

        loaded = TorchvisionModels(root, fetch).load(f"torchvision/{SMALL}", "DEFAULT")
        assert [member.name for member in asked] == ["IMAGENET1K_V1"]
        assert loaded.classes == 1000

    def test_a_file_of_their_name_in_the_root_saves_the_way(self, root: Root) -> None:
        def fetch(member: Any) -> object:
            pytest.fail("asked the web")

        url = torchvision.get_model_weights(SMALL).IMAGENET1K_V1.url
        save(root, Path(url).name, built(SMALL))
        assert TorchvisionModels(root, fetch).load(f"torchvision/{SMALL}", "IMAGENET1K_V1").classes

    @pytest.mark.parametrize(
        "error", [URLError("no such host"), RuntimeError("invalid hash value")]
    )
    def test_where_the_web_is_away_the_remedy_is_told(self, root: Root, error: Exception) -> None:
        def fetch(member: Any) -> object:
            raise error

        with pytest.raises(WeightsUnreachable, match="put the file under the model root and name"):
            TorchvisionModels(root, fetch).load(f"torchvision/{SMALL}", "IMAGENET1K_V1")
