"""Packages offer models by entry point; none is imported before it is asked for."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.contracts.model_source import ModelSourceContract
from workers.errors import BrokenModel
from workers.errors import WeightsNotTaken
from workers.models.installed import GROUP
from workers.models.installed import InstalledModels
from workers.models.source import ModelSource

MODULE = """
import torch
from torch import nn
from workers.loaded import LoadedModel

def full():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    return LoadedModel(network=network, input_shape=(1, 2, 2), classes=3)

def bare():
    return nn.Flatten()

def program():
    return torch.export.export(nn.Linear(2, 2), (torch.rand(2, 2),))

def wrong():
    return {"state_dict": {}}

def raises():
    raise ValueError("no licence\\nand a stack of details")

def leaves():
    raise SystemExit(3)
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSource:
    """Return a source over a module of this test's own, among them entries that do not work."""
    name = f"acme_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("raise RuntimeError('broken on import')")
    monkeypatch.syspath_prepend(tmp_path)
    values = {made: f"{name}:{made}" for made in ("full", "bare", "program", "wrong", "raises")}
    values |= {"leaves": f"{name}:leaves", "import": f"{name}_broken:x", "gone": "no_such_mod:x"}
    values |= {"attribute": f"{name}:nothing"}
    entries = [EntryPoint(f"acme/{key}", value, GROUP) for key, value in values.items()]
    return InstalledModels(lambda: entries)


class TestInstalledModels(ModelSourceContract):
    @pytest.fixture
    def source(self, source: ModelSource) -> ModelSource:
        return source

    @pytest.fixture
    def loadable(self, source: ModelSource) -> tuple[str, str | None]:
        return "acme/full", None

    def test_listing_imports_nothing(self, source: ModelSource) -> None:
        assert len(source.offers()) == 9
        assert not [name for name in sys.modules if name.startswith("acme_test_listing")]

    @pytest.mark.parametrize("name", ["acme/bare", "acme/program"])
    def test_a_network_alone_will_do(self, source: ModelSource, name: str) -> None:
        loaded = source.load(name, None)
        assert loaded.preprocessing is None

    @pytest.mark.parametrize(
        "name, words",
        [
            ("acme/wrong", "made as dict"),
            ("acme/raises", "ValueError: no licence$"),
            ("acme/leaves", "SystemExit: 3"),
            ("acme/import", "RuntimeError: broken on import"),
            ("acme/gone", "ModuleNotFoundError"),
            ("acme/attribute", "AttributeError"),
        ],
    )
    def test_a_broken_one_says_why_and_breaks_no_other(
        self, source: ModelSource, *, name: str, words: str
    ) -> None:
        with pytest.raises(BrokenModel, match=words):
            source.load(name, None)
        assert source.load("acme/full", None).classes == 3

    def test_weights_are_its_own_business(self, source: ModelSource) -> None:
        with pytest.raises(WeightsNotTaken):
            source.load("acme/full", "x.pth")

    def test_the_environment_is_looked_at_by_default(self) -> None:
        assert isinstance(InstalledModels().offers(), dict)
