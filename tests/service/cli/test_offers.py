"""models and datasets against a real API; submit tells what is close to a wrong name."""

import json
from pathlib import Path

import yaml
from sqlalchemy import Engine

from service.api.app import create_app
from service.store import catalog
from tests.conftest import opened
from tests.service.api import deployment
from tests.service.api.test_offers_many import MANY
from tests.service.cli.conftest import Bitfloor


class TestModels:
    def test_a_table_has_shape_classes_and_weights(self, bitfloor: Bitfloor, store: Engine) -> None:
        catalog.announce(store, MANY)
        listed = bitfloor("models")
        assert listed.status == 0
        line = next(line for line in listed.out.splitlines() if "torchvision/net7 " in line)
        for word in ("3×224×224", "1000", "IMAGENET1K_V1, net7.safetensors"):
            assert word in line

    def test_documents_hold_what_the_api_says(self, bitfloor: Bitfloor, store: Engine) -> None:
        catalog.announce(store, MANY)
        listed = json.loads(bitfloor("models", "--format", "json").out)
        assert len(listed) == len(MANY) + 1
        assert listed == yaml.safe_load(bitfloor("models", "--format", "yaml").out)
        assert {"name": "tiny", "parameters": 1200} in listed

    def test_a_wrong_model_is_told_with_close_ones_on_one_line(
        self, bitfloor: Bitfloor, store: Engine, tmp_path: Path
    ) -> None:
        catalog.announce(store, MANY)
        spec = tmp_path / "spec.yaml"
        spec.write_text("{model: net17, dataset: digits, tolerance: 0.02}")
        refused = bitfloor("submit", str(spec))
        assert refused.status == 2
        assert refused.out == ""
        assert "torchvision/net17" in refused.err
        assert len(refused.err.splitlines()) == 1

    def test_before_any_worker_it_says_so(self, run: Bitfloor, sqlite_url: str) -> None:
        with opened(sqlite_url) as engine, deployment.served(create_app(engine)) as address:
            listed = run("models", "--server", address, "--format", "json")
        assert (listed.status, json.loads(listed.out)) == (0, [])
        assert "bitfloor worker" in listed.err


class TestDatasets:
    def test_they_are_listed(self, bitfloor: Bitfloor) -> None:
        listed = bitfloor("datasets")
        assert listed.status == 0
        assert "digits" in listed.out
        assert "images" in listed.out
