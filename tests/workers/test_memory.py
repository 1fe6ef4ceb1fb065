"""Too little memory: half the images at once give the same counts, and nothing is kept."""

import gc
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from sqlalchemy import Engine
from torch import Tensor
from torch import fx

from service.store import jobs
from service.store.values import JobState
from tests.workers import shortage
from tests.workers.conftest import Submit
from tests.workers.processes import until
from workers import retry
from workers.memory import Room
from workers.memory import halved_if_short
from workers.worker import Worker

DEVICE_IS_FULL = "CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation"


def short_above(most: int) -> list[int]:
    """Return how many images are asked for at once where `most` fit."""
    asked: list[int] = []

    def work(images: int) -> int:
        asked.append(images)
        if images > most:
            raise torch.OutOfMemoryError(DEVICE_IS_FULL)
        return images

    try:
        halved_if_short(100, work)
    except torch.OutOfMemoryError:
        asked.append(0)
    return asked


class TestHalved:
    def test_it_is_tried_with_half_and_then_given_up(self) -> None:
        assert short_above(100) == [100]
        assert short_above(50) == [100, 50]
        assert short_above(49) == [100, 50, 0]

    def test_one_image_cannot_be_halved(self) -> None:
        with pytest.raises(MemoryError):
            halved_if_short(1, lambda _: bytes(1 << 60))

    def test_what_is_no_shortage_is_raised_at_once(self) -> None:
        asked: list[int] = []

        def work(images: int) -> None:
            asked.append(images)
            raise RuntimeError("shapes do not fit")

        with pytest.raises(RuntimeError, match="shapes"):
            halved_if_short(100, work)
        assert asked == [100]


class TestRoom:
    def test_a_shortage_is_remembered(self) -> None:
        sizes: list[int] = []

        def network(images: Tensor) -> Tensor:
            sizes.append(len(images))
            if len(images) > 8:
                raise torch.OutOfMemoryError(DEVICE_IS_FULL)
            return images * 2

        images, room = torch.arange(16.0)[:, None], Room(16)
        for _ in range(2):
            assert room.put_through(network, images).equal(images * 2)
        assert sizes == [16, 8, 8, 8, 8]

    def test_its_check_may_interrupt(self) -> None:
        def check() -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            Room(4, check).put_through(lambda images: images, torch.zeros(4))

    def test_a_process_with_little_memory_counts_what_one_with_much_counts(self) -> None:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
            found = processes.submit(shortage.outcomes).result()
        ways = [way for way, _ in found]
        assert set(ways) == {"short", "halved", "whole"}
        assert ways[0] == "short"
        assert ways[-1] == "whole"
        counts = [hits for way, hits in found if way != "short"]
        assert all(hits == counts[-1] for hits in counts)
        assert [hits.images for hits in counts[-1]] == [16, 16, 32]


class TestDecide:
    @pytest.mark.parametrize(
        "error", [torch.OutOfMemoryError(DEVICE_IS_FULL), MemoryError("no room")]
    )
    def test_too_little_memory_is_named_and_tried_again(self, error: Exception) -> None:
        decision = retry.decide(error, 0)
        assert (decision.error.code, decision.delay) == ("out-of-memory", retry.FIRST_DELAY)
        assert "BITFLOOR_BATCH" in decision.error.message
        assert "documentation" not in decision.error.message


def graphs() -> int:
    """Return how many captured networks are in memory; collects nothing itself."""
    # not isinstance: some things answer that with a warning
    return sum(issubclass(type(thing), fx.GraphModule) for thing in gc.get_objects())


class TestRelease:
    @pytest.mark.parametrize("end", ["cancelled", "failed", "succeeded"])
    def test_no_network_outlives_its_job(
        self, worker: Worker, submit: Submit, *, engine: Engine, end: str
    ) -> None:
        gc.collect()
        before = graphs()
        more = {"tolerance": 0.9999} if end == "failed" else {}
        job_id = submit(budget=5000 if end == "cancelled" else 1, **more).id
        thread = threading.Thread(target=worker.work_once)
        thread.start()
        if end == "cancelled":
            until(lambda: jobs.get(engine, job_id).progress.trials > 0)
            assert graphs() > before
            jobs.request_cancel(engine, job_id)
        thread.join(60)
        assert jobs.get(engine, job_id).state is JobState(end)
        assert graphs() == before

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_the_device_is_empty_after_a_cancelled_job(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        on_device = Worker(engine, worker.settings, torch.device("cuda"), worker.stop)
        submit(budget=1)
        on_device.work_once()  # what the libraries themselves keep is there from now on
        before = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
        job_id = submit(budget=5000, quantizers=("affine", "codebook")).id
        thread = threading.Thread(target=on_device.work_once)
        thread.start()
        until(lambda: jobs.get(engine, job_id).progress.trials > 0)
        assert torch.cuda.memory_allocated() > before[0]
        jobs.request_cancel(engine, job_id)
        thread.join(60)
        assert (torch.cuda.memory_allocated(), torch.cuda.memory_reserved()) == before
