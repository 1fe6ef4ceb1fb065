"""Datasets are reached by prefix, and a company's own source does no harm."""

from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from search.preprocessing import Preprocessing
from tests.contracts.dataset_source import AS_IT_IS
from tests.contracts.dataset_source import surroundings
from workers.datasets import catalog
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.errors import UnknownDataset


class Own:
    def offers(self, around: Surroundings) -> Iterable[Offered]:
        yield Offered("one", {})
        msg = "the share is not mounted"
        raise OSError(msg)

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        return Labelled(np.zeros((4, 1, 2, 2), np.uint8), np.arange(4))


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, points: str) -> None:
    """Make a distribution with these entry points findable, as pip would."""
    info = folder / "company-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: company\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{catalog.GROUP}]\n{points}\n")
    monkeypatch.syspath_prepend(str(folder))


class TestRead:
    @pytest.mark.parametrize("name", ["imagenet-22k", "folder", "arrays/", "nowhere/x"])
    def test_an_unknown_name_is_told_what_there_is(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UnknownDataset, match=r"offers digits, .*folder/NAME"):
            catalog.read(name, surroundings(tmp_path), preprocessing=AS_IT_IS)

    def test_an_installed_package_may_bring_a_source(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "company_data.py").write_text(
            "import numpy\nfrom workers.datasets.source import Labelled, Offered\n"
            "class Source:\n"
            "    def offers(self, around):\n        return [Offered('faces', {})]\n"
            "    def read(self, name, around, *, preprocessing):\n"
            "        return Labelled(numpy.zeros((4, 1, 2, 2), 'u1'), numpy.arange(4))\n"
            "source = Source()\n"
        )
        install(tmp_path, monkeypatch, "company = company_data:source\nbroken = no_such:thing")
        around = surroundings(tmp_path)
        assert {"company/faces", "digits"} <= {offer.name for offer in catalog.offers(around)}
        data = catalog.read("company/faces", around, preprocessing=AS_IT_IS)
        assert len(data.labels) == 4
        assert "broken" not in {point.name for point in metadata.entry_points(group="none")}


class TestOffers:
    def test_a_source_that_fails_hides_no_other(self, tmp_path: Path) -> None:
        catalog.register("for-tests-own", Own())
        names = {offer.name for offer in catalog.offers(surroundings(tmp_path))}
        assert {"digits", "for-tests-own/one"} <= names
