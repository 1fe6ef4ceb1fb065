"""What every dataset source promises, to be inherited by the tests of one, a company's own too."""

import threading
from abc import ABC
from abc import abstractmethod
from pathlib import Path

import numpy as np
import pytest

from search.preprocessing import Preprocessing
from workers.datasets.source import DatasetSource
from workers.datasets.source import Labelled
from workers.datasets.source import Surroundings
from workers.errors import WorkerError
from workers.roots import Root

AS_IT_IS = Preprocessing()


def surroundings(folder: Path) -> Surroundings:
    """Return a data root and a cache below a test's own folder."""
    root = folder / "datasets"
    root.mkdir(exist_ok=True)
    return Surroundings(root=Root(root, "data root", "BITFLOOR_DATA_ROOT"), cache=folder / "cache")


class DatasetSourceContract(ABC):
    """Inherit, say which source and put one dataset into a data root."""

    #: of the dataset that `stock` puts there
    name: str
    #: whether there is anything without a data root
    embedded = False

    @abstractmethod
    def source(self) -> DatasetSource:
        """Return the source."""

    @abstractmethod
    def stock(self, root: Path) -> None:
        """Put one dataset of at least four images into the root."""

    @pytest.fixture
    def around(self, tmp_path: Path) -> Surroundings:
        found = surroundings(tmp_path)
        self.stock(found.root.folder)
        return found

    def read(self, around: Surroundings) -> Labelled:
        return self.source().read(self.name, around, preprocessing=AS_IT_IS)

    def test_images_are_bytes_or_floats_from_0_to_1_with_channels_first(
        self, around: Surroundings
    ) -> None:
        pixels = self.read(around).pixels
        assert pixels.ndim == 4
        assert pixels.shape[1] in (1, 3)
        assert pixels.dtype in (np.uint8, np.float32)
        if pixels.dtype == np.float32:
            assert 0 <= pixels.min() <= pixels.max() <= 1

    def test_every_image_has_a_class_index(self, around: Surroundings) -> None:
        data = self.read(around)
        assert data.labels.shape == (len(data.pixels),)
        assert data.labels.dtype == np.int64
        assert data.labels.min() >= 0

    def test_fixed_splits_share_no_image(self, around: Surroundings) -> None:
        data = self.read(around)
        index = np.concatenate(data.fixed or [np.arange(len(data.labels))])
        assert len(set(index)) == len(index)
        assert set(index) <= set(range(len(data.labels)))

    def test_reading_twice_gives_the_same_in_the_same_order(self, around: Surroundings) -> None:
        first, again = self.read(around), self.read(around)
        assert np.array_equal(first.pixels, again.pixels)
        assert np.array_equal(first.labels, again.labels)

    def test_two_at_once_read_the_same(self, around: Surroundings) -> None:
        read: list[Labelled] = []
        threads = [
            threading.Thread(target=lambda: read.append(self.read(around))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one, other = read
        assert np.array_equal(one.pixels, other.pixels)

    def test_what_it_offers_can_be_read(self, around: Surroundings) -> None:
        names = [offered.name for offered in self.source().offers(around)]
        assert self.name in names
        for name in names:
            self.source().read(name, around, preprocessing=AS_IT_IS)

    def test_without_a_data_root_it_offers_what_needs_none(self, tmp_path: Path) -> None:
        nowhere = Surroundings(root=Root(tmp_path / "no", "data root", "X"), cache=tmp_path)
        assert bool(list(self.source().offers(nowhere))) is self.embedded

    @pytest.mark.parametrize(
        "name", ["nothing-of-that-name", "../datasets", "/etc", "a/../../b", "a\0b", "."]
    )
    def test_a_name_that_is_not_there_or_leads_out_is_refused(
        self, around: Surroundings, name: str
    ) -> None:
        with pytest.raises(WorkerError):
            self.source().read(name, around, preprocessing=AS_IT_IS)
