"""A worker sees every job to an end that says why, and outlives whatever a job does."""

import errno
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import Engine
from sqlalchemy import select

from search.preprocessing import Preprocessing
from search.rules import PointRule
from search.trial import TrialResult
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.models import JobRow
from service.store.values import Job
from service.store.values import JobError
from service.store.values import JobState
from service.store.values import Lease
from service.tracing import Span
from workers import retry
from workers.datasets import catalog
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.metrics import End
from workers.telemetry import Telemetry
from workers.worker import Worker

Submit = Callable[..., Job]
PATIENCE = 60.0  # seconds


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def due(engine: Engine, job_id: str) -> float:
    """Return when the job can be claimed, in seconds since the epoch."""
    with engine.connect() as connection:
        found = connection.execute(select(JobRow.claimable_at).where(JobRow.id == job_id))
        return found.scalar_one() or 0.0


class Flaky:
    """Fails as a disk or a driver would."""

    def offers(self, around: Surroundings) -> Iterable[Offered]:
        return []

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        if name == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/cache/x")
        msg = "the disk is on fire\nand a stack of details"
        raise OSError(msg)


catalog.register("for-tests", Flaky())


@dataclass(frozen=True, kw_only=True)
class Asking(Telemetry):
    """Asks its worker to stop once the third trial is recorded."""

    stop: threading.Event

    def trial(self, span: Span, result: TrialResult, *, seconds: float) -> None:
        super().trial(span, result, seconds=seconds)
        if result.number == 2:
            self.stop.set()


@dataclass(frozen=True, kw_only=True)
class Slow(Telemetry):
    """Has the job cancelled, and writes again only once the heartbeat has ended it."""

    job_id: str
    engine: Engine
    ends: list[End] = field(default_factory=list)

    def attempt(self, job: Job, number: int, *, work: Callable[[], End]) -> None:
        self.ends.append(work())

    def trial(self, span: Span, result: TrialResult, *, seconds: float) -> None:
        super().trial(span, result, seconds=seconds)
        jobs.request_cancel(self.engine, self.job_id)
        wait_for(lambda: jobs.get(self.engine, self.job_id).state.final)
        leases.add_images(self.engine, Lease(self.job_id, 1), 1)


class TestWorkOnce:
    def test_an_empty_queue_is_no_work(self, worker: Worker) -> None:
        assert not worker.work_once()

    def test_a_job_ends_with_a_certified_best(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit().id
        assert worker.work_once()
        job = jobs.get(engine, job_id)
        assert job.state is JobState.SUCCEEDED
        assert job.result is not None
        assert job.result["certification"]["holds"]
        # what the best uniform allocation saves, 4 bits everywhere
        assert job.result["saved"] > 1 - 4 / 32
        assert job.progress.trials == 12
        assert job.progress.images_evaluated == job.result["images_evaluated"]

    def test_the_same_request_gives_the_same_best(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        ids = [submit().id, submit().id]
        while worker.work_once():
            pass
        first, second = (jobs.get(engine, job_id).result for job_id in ids)
        assert first == second

    def test_the_same_content_is_answered_from_the_earlier_job(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        earlier, again = submit(), submit(fresh=False, trial_timeout=99.0)
        other = submit(fresh=False, seed=1)
        while worker.work_once():
            pass
        answered = jobs.get(engine, again.id)
        assert answered.answered_by == earlier.id
        assert answered.result == jobs.get(engine, earlier.id).result
        assert answered.progress.images_evaluated == 0
        searched = jobs.get(engine, other.id)
        assert searched.answered_by is None
        assert searched.progress.images_evaluated > 0

    def test_setup_lets_readers_scale_and_plot(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(budget=1).id
        worker.work_once()
        setup = jobs.get(engine, job_id).setup
        assert setup is not None
        assert (setup.baseline.images, len(setup.points)) == (450, 9)
        for point in setup.points:
            assert sum(setup.histograms[point.name]["counts"]) == 100 * point.elements

    def test_nothing_feasible_names_the_closest_and_whom_to_blame(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        quantizers = ("affine", "codebook")
        job_id = submit(tolerance=0.0, confidence=0.5, bit_widths=(1,), quantizers=quantizers).id
        worker.work_once()
        job = jobs.get(engine, job_id)
        assert job.state is JobState.INFEASIBLE
        assert job.result is not None
        assert job.result["shortfall"] > 0
        assert len(job.result["blame"]) == 9
        recovered = [blame["recovered"] for blame in job.result["blame"]]
        assert recovered == sorted(recovered, reverse=True)
        assert "search split" in job.result["reason"]

    def test_rules_hold_for_every_trial_and_the_best_tells_of_them(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        rules = (
            ("*", PointRule(bit_widths=(4, 8))),
            ("features.0", PointRule(bit_widths=(8,))),
            ("classifier*", PointRule(exclude=True)),
        )
        job_id = submit(points=rules).id
        worker.work_once()
        best = jobs.get(engine, job_id).result
        assert best is not None
        given = {point["name"]: point for point in best["points"]}
        assert str(given["features.0"]["bit_width"]) == "8"
        left = [p for name, p in given.items() if name.startswith("classifier")]
        assert left
        assert {(p["quantizer"], p["bit_width"]) for p in left} == {(None, 32)}
        assert sum(p["bytes_after"] for p in given.values()) == best["memory_bytes"]
        assert {"features.0", *(p["name"] for p in left)} <= {*best["uniform"]["exceptions"]}
        for trial in trials.history(engine, job_id):
            assert {config.bit_width for _, config in trial.allocation.items()} <= {4, 8}

    def test_codebooks_are_charged_where_the_request_says_so(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(objective="activation_memory_with_codebooks", quantizers=("codebook",)).id
        worker.work_once()
        best = jobs.get(engine, job_id).result
        assert best is not None
        assert best["objective"] == "activation_memory_with_codebooks"
        tables = sum(2 ** point["bit_width"] * 4 for point in best["points"])
        assert best["memory_bytes"] == best["activation_bytes"] + tables
        assert best["activation_bytes"] == sum(point["bytes_after"] for point in best["points"])
        chosen = trials.get(engine, job_id, best["trial"]).result
        assert chosen.memory_bits == best["memory_bytes"] * 8

    def test_the_peak_is_what_is_held_at_once(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(objective="peak_activation_memory").id
        worker.work_once()
        job = jobs.get(engine, job_id)
        assert job.result is not None
        assert job.setup is not None
        # a chain: a layer's input and output, and the first two are the largest
        after = [point["bytes_after"] for point in job.result["points"]]
        assert job.result["memory_bytes"] == max(map(sum, pairwise(after)))
        assert job.setup.float_bits == (1024 + 1024) * 32 == job.result["float_memory_bytes"] * 8
        chosen = trials.get(engine, job_id, job.result["trial"]).result
        assert job.setup.saved(chosen.memory_bits) == job.result["saved"]
        assert job.setup.average_bits(chosen.allocation) == job.result["average_bits"]

    @pytest.mark.parametrize(
        "changes, told",
        [
            ({"model": "resnet-9000"}, ("unknown-model", "closest")),
            ({"dataset": "imagenet-22k"}, ("unknown-dataset", "digits")),
            ({"quantizers": ("ternary",)}, ("unknown-quantizer", "codebook_bounded")),
            ({"sampler": "genius"}, ("unknown-sampler", "tpe")),
            ({"tolerance": 0.9999}, ("invalid-spec", "tolerance")),
            ({"tolerance": 0.0}, ("invalid-spec", "confidence: 450 images cannot show")),
            ({"confidence": 0.9999}, ("invalid-spec", "456 images")),
            (
                {"points": (("body", PointRule(exclude=True)),)},
                ("invalid-spec", "features.0, features.3"),
            ),
            ({"points": (("*", PointRule(exclude=True)),)}, ("invalid-spec", "points: ")),
            (
                {
                    "points": (("features.0", PointRule(upper_bound=2.0)),),
                    "quantizers": ("affine",),
                },
                ("invalid-spec", "points.features.0.upper_bound"),
            ),
        ],
    )
    def test_what_can_never_work_fails_at_once_and_says_why(
        self,
        worker: Worker,
        submit: Submit,
        *,
        engine: Engine,
        changes: dict[str, object],
        told: tuple[str, str],
    ) -> None:
        job_id = submit(**changes).id
        assert worker.work_once()
        job = jobs.get(engine, job_id)
        assert (job.state, job.attempt) == (JobState.FAILED, 1)
        assert job.error is not None
        code, word = told
        assert job.error.code == code
        assert word in job.error.message

    def test_what_may_be_the_machines_fault_is_tried_again_later(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(dataset="for-tests/flaky").id
        began = time.time()
        assert worker.work_once()
        job = jobs.get(engine, job_id)
        assert (job.state, job.failures) == (JobState.QUEUED, 1)
        assert job.error is not None
        assert job.error.message == "OSError: the disk is on fire"
        # a database may count whole milliseconds
        assert due(engine, job_id) > began + retry.FIRST_DELAY - 0.001

    def test_a_full_disk_puts_a_job_off_and_is_held_against_no_job(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(dataset="for-tests/full").id
        began = time.time()
        assert worker.work_once()
        job = jobs.get(engine, job_id)
        assert (job.state, job.failures) == (JobState.QUEUED, 0)
        assert job.error is not None
        assert job.error.code == "disk-full"
        assert "/cache/x" in job.error.message
        assert "free some room" in job.error.message
        # a database may count whole milliseconds
        assert due(engine, job_id) > began + retry.FIRST_DELAY - 0.001

    def test_cancelling_takes_effect_within_five_seconds(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(budget=5000, quantizers=("affine", "codebook")).id
        thread = threading.Thread(target=worker.work_once)
        thread.start()
        wait_for(lambda: jobs.get(engine, job_id).progress.trials > 0)
        jobs.request_cancel(engine, job_id)
        started = time.monotonic()
        thread.join(PATIENCE)
        assert time.monotonic() - started < 5
        assert jobs.get(engine, job_id).state is JobState.CANCELLED

    def test_cancelled_by_its_heartbeat_between_a_check_and_a_write_it_ends_as_cancelled(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit().id
        slow = Slow(job_id=job_id, engine=engine)
        assert replace(worker, telemetry=slow).work_once()
        assert jobs.get(engine, job_id).state is JobState.CANCELLED
        assert slow.ends == [End.CANCELLED]

    def test_asked_to_stop_it_hands_the_job_back_and_the_next_goes_on(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(budget=40).id
        assert replace(worker, telemetry=Asking(stop=worker.stop)).work_once()
        job = jobs.get(engine, job_id)
        assert (job.state, job.failures) == (JobState.QUEUED, 0)
        before = trials.history(engine, job_id)
        assert len(before) == 3

        worker.stop.clear()
        assert worker.work_once()
        after = trials.history(engine, job_id)
        assert after[: len(before)] == before
        assert [trial.number for trial in after] == list(range(40))
        assert jobs.get(engine, job_id).state is JobState.SUCCEEDED

    def test_a_worker_that_lost_its_lease_writes_nothing_and_lives(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(budget=5000, quantizers=("affine", "codebook")).id
        thread = threading.Thread(target=worker.work_once)
        thread.start()
        wait_for(lambda: jobs.get(engine, job_id).progress.trials > 0)
        job = jobs.get(engine, job_id)
        # what an operator's hand does: the lease ends under the worker
        leases.fail(
            engine,
            Lease(job_id, job.attempt),
            JobError(code="stopped", message="by hand"),
        )
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert jobs.get(engine, job_id).error == JobError(code="stopped", message="by hand")


class TestWorkForever:
    def test_it_works_off_the_queue_until_asked_to_stop(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        ids = [submit(budget=1).id, submit(budget=1, dataset="none").id, submit(budget=1).id]
        thread = threading.Thread(target=worker.work_forever)
        thread.start()
        wait_for(lambda: all(jobs.get(engine, job_id).state.final for job_id in ids))
        worker.stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
