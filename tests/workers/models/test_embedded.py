"""The embedded model keeps the contract of a source."""

import pytest

from tests.contracts.model_source import ModelSourceContract
from workers.errors import WeightsNotTaken
from workers.models.embedded import EmbeddedModels
from workers.models.source import ModelSource


class TestEmbeddedModels(ModelSourceContract):
    @pytest.fixture
    def source(self) -> ModelSource:
        return EmbeddedModels()

    @pytest.fixture
    def loadable(self, source: ModelSource) -> tuple[str, str | None]:
        return "digits-vgg", None

    def test_it_brings_its_own_weights(self, source: ModelSource) -> None:
        with pytest.raises(WeightsNotTaken, match="leave `weights` out"):
            source.load("digits-vgg", "mine.safetensors")
