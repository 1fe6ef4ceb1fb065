"""Splits are disjoint, stratified and fixed by the seed; batches come as the network takes them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.preprocessing import Preprocessing
from search.preprocessing import settled
from search.spec import JobSpec
from search.splits import Splits
from workers import splits
from workers.data import CPU
from workers.data import Split
from workers.datasets.source import Indices
from workers.datasets.source import Labelled

JOB = JobSpec(model="m", dataset="d", tolerance=0.1)
labels = st.lists(st.integers(0, 4), min_size=12, max_size=80).map(np.array)


def labelled(classes: npt.NDArray[Any]) -> Labelled:
    pixels = np.arange(len(classes), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Labelled(pixels, classes.astype(np.int64))


class TestChoose:
    @given(classes=labels, seed=st.integers(0, 2**32 - 1))
    def test_they_are_disjoint_and_stratified(self, classes: Indices, seed: int) -> None:
        asked = Splits(calibration=3, search=5, certification=4)
        chosen = splits.choose(labelled(classes), asked, seed=seed)
        assert [len(index) for index in chosen] == [3, 5, 4]
        assert len(set(np.concatenate(chosen).tolist())) == 12
        for index in chosen:
            for label in range(5):
                share = (classes == label).sum() * len(index) / len(classes)
                assert abs((classes[index] == label).sum() - share) <= 2

    @given(classes=labels, seed=st.integers(0, 2**32 - 1))
    def test_the_seed_fixes_them(self, classes: Indices, seed: int) -> None:
        first, again = (splits.choose(labelled(classes), None, seed=seed) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))

    def test_equal_classes_are_split_equally(self) -> None:
        classes = np.repeat(np.arange(10), 100)
        for index in splits.choose(labelled(classes), None, seed=3):
            counts = np.bincount(classes[index])
            assert counts.max() - counts.min() <= 2

    def test_another_seed_is_another_choice(self) -> None:
        classes = np.zeros(100)
        one, other = (splits.choose(labelled(classes), None, seed=seed)[0] for seed in (1, 2))
        assert not np.array_equal(one, other)

    def test_fixed_splits_hold_unless_others_are_asked_for(self) -> None:
        data = labelled(np.zeros(9))
        fixed = (np.arange(3), np.arange(3, 6), np.arange(6, 9))
        data = Labelled(data.pixels, data.labels, fixed)
        assert splits.choose(data, None, seed=1) is fixed
        asked = Splits(calibration=2, search=2, certification=2)
        assert [len(index) for index in splits.choose(data, asked, seed=1)] == [2, 2, 2]


class TestDataset:
    def test_the_search_order_is_random_fixed_by_the_seed(self) -> None:
        data = labelled(np.repeat(np.arange(10), 50))
        nothing = Preprocessing()
        made = [
            splits.dataset(
                data,
                JobSpec(model="m", dataset="d", tolerance=0.1, seed=seed),
                preprocessing=nothing,
                device=CPU,
            )
            for seed in (1, 1, 2)
        ]
        first, again, other = (one.search.index for one in made)
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert not torch.equal(first, first.sort().values)

    def test_the_splits_share_one_memory(self) -> None:
        made = splits.dataset(
            labelled(np.zeros(50)), JOB, preprocessing=Preprocessing(), device=CPU
        )
        assert len({split.images.data_ptr() for split in made}) == 1


class TestBatches:
    def test_bytes_become_normalized_floats(self) -> None:
        images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, 2, 2)
        wanted = Preprocessing(mean=(0.5, 0.0, 0.2), std=(0.5, 1.0, 2.0))
        split = Split(images, torch.tensor([7, 8, 9]), torch.tensor([2, 1]), CPU, wanted)
        ((batch, classes),) = split.batches(5)
        assert batch.dtype == torch.float32
        assert classes.tolist() == [9, 8]
        assert torch.allclose(batch[0, :, 0, 0], torch.tensor([1.0, 1.0, 0.4]))
        assert torch.allclose(batch[1, :, 1, 1], torch.tensor([-0.6, 0.2, 0.0]))
        assert batch.is_contiguous()

    def test_batches_are_as_large_as_asked_for_but_the_last(self) -> None:
        split = Split(torch.rand(7, 1, 2, 2), torch.zeros(7), torch.arange(7))
        assert [len(images) for images, _ in split.batches(3)] == [3, 3, 1]

    def test_floats_stay_as_they_are(self) -> None:
        images = torch.rand(4, 1, 2, 2)
        split = Split(images, torch.zeros(4), torch.arange(4))
        ((batch, _),) = split.batches(4)
        assert torch.equal(batch, images)


class TestSettled:
    TRAINED = Preprocessing(resize=256, crop=224, mean=(0.4,), std=(0.2,), interpolation="bicubic")

    def test_what_is_left_out_comes_from_the_weights(self) -> None:
        assert settled(None, self.TRAINED) == self.TRAINED
        assert settled(None, None) == Preprocessing()
        assert settled(Preprocessing(crop=32), self.TRAINED) == Preprocessing(
            crop=32, mean=(0.4,), std=(0.2,)
        )
        assert settled(Preprocessing(mean=(0.0,), std=(1.0,)), self.TRAINED) == Preprocessing(
            resize=256, crop=224, interpolation="bicubic", mean=(0.0,), std=(1.0,)
        )
