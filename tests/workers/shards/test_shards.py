"""Shards of one process, as a machine with several devices has them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from search.spec import AUTO
from search.spec import JobSpec
from tests.contracts.shards import BATCH
from tests.contracts.shards import JOB
from tests.contracts.shards import Open
from tests.contracts.shards import ShardsContract
from workers import devices
from workers.errors import Stopping
from workers.settings import WorkerSettings
from workers.shards import facts
from workers.shards.errors import ShardsDiffer
from workers.shards.facts import Facts
from workers.shards.shards import Shards
from workers.shards.shards import threaded
from workers.shards.wanted import wanted

CPU = torch.device("cpu")


def nothing() -> None:
    """Let the work go on."""


def for_ever(shards: Shards) -> None:
    """Ask for the same again and again."""
    while True:
        shards.each("correct", {0: {"numbers": [0], "split": "search"}})


@pytest.fixture
def opened(folder: Path) -> Open:
    """Return what opens shards on the CPU, each with a network of its own."""
    settings = WorkerSettings(cache_dir=folder, model_root=folder, batch=BATCH)

    @contextmanager
    def open_(job: JobSpec, count: int) -> Iterator[Shards]:
        made = [devices.shard(job, settings, device=CPU, check=nothing) for _ in range(count)]
        with threaded(made, check=nothing) as shards:
            yield shards

    return open_


class TestThreaded(ShardsContract):
    def test_whoever_waits_for_them_can_be_interrupted(self, folder: Path) -> None:
        settings = WorkerSettings(cache_dir=folder, model_root=folder, batch=BATCH)
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise Stopping

        shard = devices.shard(JOB, settings, device=CPU, check=nothing)
        with threaded([shard, shard], check=check) as shards:
            shards.each("facts", {0: {}})
            threading.Timer(0.3, stop.set).start()
            with pytest.raises(Stopping):
                for_ever(shards)


class TestOpened:
    def test_one_device_evaluates_by_itself(self, tmp_path: Path) -> None:
        job = JobSpec(model="digits-vgg", dataset="digits", tolerance=0.02, parallelism=4)
        settings = WorkerSettings(cache_dir=tmp_path, device="cpu")
        with devices.opened(job, settings, check=nothing) as shards:
            assert shards is None


class TestWanted:
    @pytest.mark.parametrize(
        "asked, most, count",
        [(1, 8, 1), (4, 8, 4), (16, 8, 8), (AUTO, 8, 8), (3, 0, 1), (AUTO, 0, 1)],
    )
    def test_as_many_as_are_asked_for_and_there_are(
        self, asked: int | str, *, most: int, count: int
    ) -> None:
        job = JobSpec(model="m", dataset="d", tolerance=0.02, parallelism=asked)
        assert wanted(job, most) == count


class TestRequireAlike:
    ONE = Facts(where="here", network="a" * 64, device="cpu", pytorch="2.15", release="0.1.0")

    def other(self, **changes: str) -> Facts:
        known = {name: getattr(self.ONE, name) for name in Facts.__slots__}
        return Facts(**{**known, "where": "there", **changes})

    def test_where_they_are_does_not_matter(self) -> None:
        facts.require_alike([self.other(), self.ONE], self.ONE)

    @pytest.mark.parametrize("field", ["network", "pytorch", "release"])
    def test_whoever_differs_is_named(self, field: str) -> None:
        with pytest.raises(ShardsDiffer, match=f"{field}.* on there"):
            facts.require_alike([self.ONE, self.other(**{field: "x"})], self.ONE)
        with pytest.raises(ShardsDiffer, match=f"{field}.* on there"):
            facts.require_alike([self.other(**{field: "x"})], self.ONE)

    def test_devices_may_be_others_than_the_workers_but_not_of_two_kinds(self) -> None:
        on_gpu = self.other(device="cuda", network="b" * 64)
        facts.require_alike([on_gpu, on_gpu], self.ONE)
        with pytest.raises(ShardsDiffer, match="device"):
            facts.require_alike([on_gpu, self.ONE], self.ONE)
