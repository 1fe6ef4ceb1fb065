"""What every source of models promises; subclass it with your source to test one of your own."""

import json
import timeit

import pytest
import torch
from torch import nn

from workers.errors import WorkerError
from workers.loaded import LoadedModel
from workers.loaded import runnable
from workers.models.source import ModelSource

CHEAP = 0.5  # seconds for all offers, what they import aside


class ModelSourceContract:
    """Run by a subclass per source, which overrides the fixtures `source` and `loadable`."""

    @pytest.fixture
    def source(self) -> ModelSource:
        raise NotImplementedError

    @pytest.fixture
    def loadable(self, source: ModelSource) -> tuple[str, str | None]:
        """Return a model and weights that load without a network connection."""
        raise NotImplementedError

    @pytest.fixture
    def loaded(self, source: ModelSource, loadable: tuple[str, str | None]) -> LoadedModel:
        return source.load(*loadable)

    def test_offers_are_owned_and_described_for_json(self, source: ModelSource) -> None:
        offers = source.offers()
        assert json.loads(json.dumps(offers)) == offers
        for name, details in offers.items():
            assert source.owns(name)
            assert details["source"]
            assert details["summary"]
            assert "name" not in details

    def test_offers_are_cheap_and_leave_random_numbers_alone(self, source: ModelSource) -> None:
        source.offers()
        before = torch.get_rng_state()
        # the fastest, for the machine may be busy with other tests
        assert min(timeit.repeat(source.offers, number=1, repeat=3)) < CHEAP
        assert torch.equal(torch.get_rng_state(), before)

    def test_what_loads_is_offered(
        self, source: ModelSource, loadable: tuple[str, str | None]
    ) -> None:
        assert loadable[0] in source.offers()

    @pytest.mark.parametrize("name", ["", "no-such-model", "../digits-vgg", "digits-vgg\0"])
    def test_a_name_of_nobodys_is_not_owned(self, source: ModelSource, name: str) -> None:
        assert not source.owns(name)

    def test_it_loads_on_the_cpu_in_float32(self, loaded: LoadedModel) -> None:
        tensors = [*loaded.network.parameters(), *loaded.network.buffers()]
        assert {str(tensor.device) for tensor in tensors} <= {"cpu"}
        assert {t.dtype for t in tensors if t.is_floating_point()} <= {torch.float32}

    def test_it_takes_images_of_its_shape_and_gives_logits_of_its_classes(
        self, loaded: LoadedModel
    ) -> None:
        if loaded.input_shape is None:
            return
        network = loaded.network.eval() if isinstance(loaded.network, nn.Module) else loaded.network
        with torch.inference_mode():
            logits = runnable(network)(torch.rand(2, *loaded.input_shape))
        assert logits.shape[0] == 2
        assert loaded.classes in (None, logits.shape[1])

    def test_each_load_is_a_network_of_its_own_with_the_same_weights(
        self, source: ModelSource, loadable: tuple[str, str | None], *, loaded: LoadedModel
    ) -> None:
        again = source.load(*loadable)
        first, second = list(loaded.network.parameters()), list(again.network.parameters())
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
        assert not {id(tensor) for tensor in first} & {id(tensor) for tensor in second}

    @pytest.mark.parametrize(
        "weights", ["../x.pth", "/etc/passwd", "nowhere.safetensors", "x\0.pt", "NO_SUCH", ""]
    )
    def test_weights_that_are_not_its_own_are_refused_in_a_sentence(
        self, source: ModelSource, loadable: tuple[str, str | None], *, weights: str
    ) -> None:
        with pytest.raises(WorkerError) as refused:
            source.load(loadable[0], weights)
        assert type(refused.value).code != WorkerError.code
