"""timm's networks where timm is installed, and a clear word where it is not."""

from importlib.util import find_spec
from typing import Any

import pytest
import torch

from tests.contracts.model_source import ModelSourceContract
from workers.errors import MissingPackage
from workers.errors import UnknownModel
from workers.errors import WeightsNeeded
from workers.errors import WeightsUnreachable
from workers.models.source import ModelSource
from workers.models.timm_models import TimmModels
from workers.roots import Root

HERE = find_spec("timm") is not None


@pytest.mark.skipif(HERE, reason="timm is installed")
class TestWithoutTimm:
    def test_nothing_is_offered_and_loading_says_what_to_install(self, root: Root) -> None:
        source = TimmModels(root)
        assert source.offers() == {}
        assert source.owns("timm/resnet18")
        with pytest.raises(MissingPackage, match=r"pip install 'bitfloor\[timm\]'"):
            source.load("timm/resnet18", "a1_in1k")


@pytest.mark.skipif(not HERE, reason="needs timm, an optional package")
class TestTimmModels(ModelSourceContract):
    @pytest.fixture
    def source(self, root: Root) -> ModelSource:
        return TimmModels(root)

    @pytest.fixture
    def loadable(self, source: ModelSource, root: Root) -> tuple[str, str | None]:
        import timm

        network = timm.create_model("resnet10t", num_classes=5)
        torch.save(network.state_dict(), root.folder / "resnet10t.pth")
        return "timm/resnet10t", "resnet10t.pth"

    def test_a_file_brings_its_classes_and_timm_the_preprocessing(
        self, source: ModelSource, loadable: tuple[str, str]
    ) -> None:
        loaded = source.load(*loadable)
        assert loaded.classes == 5
        assert loaded.preprocessing is not None
        assert loaded.preprocessing.crop == 176
        assert loadable[1] in str(source.offers()[loadable[0]]["weights"])

    def test_wrong_names_and_no_weights_are_told(self, source: ModelSource) -> None:
        with pytest.raises(UnknownModel, match="timm/resnet18"):
            source.load("timm/resnet181", "x.pth")
        with pytest.raises(WeightsNeeded, match="a1_in1k"):
            source.load("timm/resnet18", None)

    def test_where_the_web_is_away_the_remedy_is_told(self, root: Root) -> None:
        def fetch(architecture: str, tag: str) -> Any:
            msg = f"{architecture}.{tag} is away"
            raise OSError(msg)

        with pytest.raises(WeightsUnreachable, match=r"resnet18\.a1_in1k is away.*put the file"):
            TimmModels(root, fetch).load("timm/resnet18", "a1_in1k")
