"""The watchdog, the heartbeat, the retry policy and the registries, one by one."""

import errno
import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from search.errors import NonFiniteActivations
from search.errors import UnsupportedNetwork
from service.store.errors import DatabaseUnreachable
from service.store.errors import LeaseLost
from service.store.values import Lease
from workers import retry
from workers.datasets.catalog import surroundings
from workers.errors import CorruptWeights
from workers.errors import UnknownModel
from workers.heartbeat import Heartbeat
from workers.models.registry import open_models
from workers.offers import offers
from workers.room import DiskFull
from workers.settings import WorkerSettings
from workers.watchdog import Watchdog

PATIENCE = 20.0  # seconds


class TestWatchdog:
    def test_an_overdue_step_is_told_and_then_ends_the_process(self) -> None:
        told: list[tuple[str, float]] = []
        ended = threading.Event()
        watchdog = Watchdog(lambda what, seconds: told.append((what, seconds)), ended.set)
        with watchdog.limit("trial 3", 0.01):
            assert ended.wait(PATIENCE)
        assert told == [("trial 3", 0.01)]

    def test_it_ends_the_process_even_if_telling_fails(self) -> None:
        ended = threading.Event()
        caught = threading.Event()
        threading.excepthook, hook = lambda _: caught.set(), threading.excepthook

        def unreachable(what: str, seconds: float) -> None:
            raise DatabaseUnreachable("db", f"{what} {seconds}")

        try:
            with Watchdog(unreachable, ended.set).limit("trial", 0.01):
                assert ended.wait(PATIENCE)
            assert caught.wait(PATIENCE)
        finally:
            threading.excepthook = hook

    def test_a_step_that_lets_no_other_thread_run_ends_the_process_all_the_same(self) -> None:
        program = (
            "import re\nfrom workers.watchdog import Watchdog\n"
            "with Watchdog(lambda *_: None, grace=0.5).limit('a trial', 1.0):\n"
            # backtracks for years, and meanwhile nothing else of Python runs
            "    re.match('(a+)+$', 'a' * 60 + 'b')\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], check=False, stderr=subprocess.PIPE, timeout=60
        )
        assert ended.returncode != 0
        assert b"in match" in ended.stderr

    def test_a_step_in_time_is_left_alone(self) -> None:
        ended = threading.Event()
        with Watchdog(lambda *_: None, ended.set).limit("trial", PATIENCE):
            (timer,) = [one for one in threading.enumerate() if one.name == "watchdog"]
        timer.join(PATIENCE / 2)
        assert not timer.is_alive()
        assert not ended.is_set()


class TestHeartbeat:
    def test_it_renews_until_left_and_brings_back_the_cancellation(self) -> None:
        beats = threading.Semaphore(0)
        numbers = itertools.count(1)

        def renew() -> bool:
            beats.release()
            return next(numbers) >= 3

        with Heartbeat(renew, interval=0.01) as heartbeat:
            assert all(beats.acquire(timeout=PATIENCE) for _ in range(3))
        assert heartbeat.cancel_requested
        while beats.acquire(blocking=False):
            pass
        assert not beats.acquire(timeout=0.05)

    def test_a_lost_lease_is_kept_for_the_main_thread(self) -> None:
        lost = LeaseLost(Lease("a", 1))

        def renew() -> bool:
            raise lost

        with Heartbeat(renew, interval=0.001) as heartbeat:
            deadline = time.monotonic() + PATIENCE
            while heartbeat.lost is None and time.monotonic() < deadline:
                time.sleep(0.001)
        assert heartbeat.lost is lost

    def test_an_outage_of_the_database_is_outlived(self) -> None:
        beats = threading.Semaphore(0)

        def renew() -> bool:
            beats.release()
            raise DatabaseUnreachable("db", "it sleeps")

        with Heartbeat(renew, interval=0.001) as heartbeat:
            assert all(beats.acquire(timeout=PATIENCE) for _ in range(3))
        assert heartbeat.lost is None


class TestDecide:
    @pytest.mark.parametrize(
        "error, code",
        [
            (UnknownModel("a", ["b"]), "unknown-model"),
            (CorruptWeights("a", "cut off"), "corrupt-weights"),
            (UnsupportedNetwork("aten.x", "why"), "unsupported-network"),
            (NonFiniteActivations("features.0"), "non-finite-activations"),
        ],
    )
    def test_what_is_wrong_with_the_request_is_not_tried_again(
        self, error: Exception, code: str
    ) -> None:
        decision = retry.decide(error, 0)
        assert (decision.error.code, decision.delay) == (code, None)
        assert decision.error.message == str(error)

    def test_anything_else_is_tried_again_after_ever_longer_waits(self) -> None:
        delays = [retry.decide(RuntimeError("x"), failures).delay for failures in (0, 1, 2, 50)]
        assert delays == [2.0, 4.0, 8.0, retry.LARGEST_DELAY]

    def test_an_error_without_words_is_still_named(self) -> None:
        for error in (ValueError(), MemoryError()):
            message = retry.decide(error, 0).error.message
            assert message.startswith(f"{type(error).__name__}: no further details")

    def test_a_full_disk_is_tried_again_as_often_as_need_be(self) -> None:
        for error in (
            OSError(errno.ENOSPC, "No space left on device", "/cache/x"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            DiskFull("/cache", free="1.0 MiB", needed="2.0 MiB"),
        ):
            decisions = [retry.decide(error, 2, attempt=attempt) for attempt in (1, 2, 50, 10_000)]
            assert [decision.delay for decision in decisions] == [2.0, 4.0, 60.0, 60.0]
            assert {(one.error.code, one.counted) for one in decisions} == {("disk-full", False)}
            assert "free some" in decisions[0].error.message
        assert retry.decide(OSError(errno.EIO, "Input/output error"), 0).counted


class TestOffers:
    def test_everything_a_request_can_name_is_announced(self) -> None:
        announced = {
            (offer.kind, offer.name)
            for offer in offers(open_models(Path("no-such-folder")), surroundings(WorkerSettings()))
        }
        assert {
            ("model", "digits-vgg"),
            ("dataset", "digits"),
            ("sampler", "tpe"),
            *(
                ("quantizer", name)
                for name in (
                    "affine",
                    "codebook",
                    "codebook_bounded",
                    "fixed_point",
                    "fixed_point_shared",
                )
            ),
        } <= announced
