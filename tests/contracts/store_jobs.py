"""What any database must do for clients: submit once, find, list, cancel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from sqlalchemy import Engine
from sqlalchemy import update

from service.store import catalog
from service.store import jobs
from service.store import leases
from service.store.errors import BadCursor
from service.store.errors import IdempotencyConflict
from service.store.errors import JobAlreadyFinal
from service.store.errors import JobNotFound
from service.store.models import JobRow
from service.store.models import LabelRow
from service.store.values import Job
from service.store.values import JobFilter
from service.store.values import JobState
from service.store.values import Offer
from service.store.values import Page
from service.store.values import Setup
from service.store.values import Submission
from tests.contracts import samples
from tests.contracts.samples import SETUP
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import submission

on_one_database = settings(
    deadline=None,
    max_examples=30,
    # the examples share a database; each looks at its own job
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NO_IDS = [
    "",
    "1",
    "\0",
    "' OR 1=1 --",
    "01a20899-af86-72ee-8086-ed2fab9297d",
    "{01a20899-af86-72ee-8086-ed2fab9297d2}",
    "01A20899-AF86-72EE-8086-ED2FAB9297D2",
    "01a20899af8672ee8086ed2fab9297d2",
    "01a20899-af86-72ee-8086-ed2fab9297d2",
]
NO_CURSORS = ["", "!", "bm90IGpzb24", "W10", "WzEuMCwgIngiXQ", "WzEsMl0", "W3RydWVd", "W" * 5000]


class JobsContract:
    def test_a_submission_becomes_a_queued_job(self, engine: Engine) -> None:
        job, created = jobs.enqueue(engine, submission(labels={"team": "vision"}))
        assert created
        assert (job.state, job.attempt, job.progress.trials) == (JobState.QUEUED, 0, 0)
        assert (job.started_at, job.finished_at, job.error, job.result) == (None,) * 4
        assert jobs.get(engine, job.id) == job

    @on_one_database
    @given(said=samples.submissions)
    def test_any_submission_comes_back_as_it_was(self, engine: Engine, said: Submission) -> None:
        job, _ = jobs.enqueue(engine, said)
        assert jobs.get(engine, job.id).submission == said

    @on_one_database
    @given(setup=samples.setups)
    def test_any_setup_comes_back_as_it_was(self, engine: Engine, setup: Setup) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        leases.begin(engine, lease, setup)
        assert jobs.get(engine, job.id).setup == setup
        leases.cancel(engine, lease)

    @on_one_database
    @given(result=samples.documents)
    def test_any_result_comes_back_as_it_was(
        self, engine: Engine, result: dict[str, object]
    ) -> None:
        job = enqueue(engine)
        leases.succeed(engine, claim(engine), result)
        assert jobs.get(engine, job.id).result == result

    @pytest.mark.parametrize("job_id", NO_IDS)
    @pytest.mark.parametrize("look_up", [jobs.get, jobs.request_cancel])
    def test_what_is_no_id_finds_no_job(
        self, engine: Engine, job_id: str, look_up: Callable[[Engine, str], Job]
    ) -> None:
        with pytest.raises(JobNotFound):
            look_up(engine, job_id)

    def test_the_same_key_gives_the_same_job(self, engine: Engine) -> None:
        first, created = jobs.enqueue(engine, submission(idempotency_key="k"))
        again, created_again = jobs.enqueue(engine, submission(idempotency_key="k"))
        assert (created, created_again) == (True, False)
        assert again == first

    def test_the_same_key_with_another_body_conflicts(self, engine: Engine) -> None:
        first = enqueue(engine, idempotency_key="k")
        with pytest.raises(IdempotencyConflict, match=first.id):
            enqueue(engine, idempotency_key="k", priority=1)
        assert jobs.counts_by_state(engine)[JobState.QUEUED] == 1

    def test_submissions_without_a_key_are_all_different(self, engine: Engine) -> None:
        assert enqueue(engine).id != enqueue(engine).id

    def test_a_hundred_submissions_of_one_key_at_once_give_one_job(self, engine: Engine) -> None:
        together = Barrier(100)

        def submit(_: int) -> tuple[Job, bool]:
            together.wait()
            return jobs.enqueue(engine, submission(idempotency_key="k", labels={"a": "b"}))

        with ThreadPoolExecutor(100) as threads:
            answers = list(threads.map(submit, range(100)))
        assert len({job.id for job, _ in answers}) == 1
        assert sum(created for _, created in answers) == 1
        assert jobs.counts_by_state(engine)[JobState.QUEUED] == 1

    @pytest.mark.parametrize("narrowed", ["", "state", "label"])
    def test_pages_neither_skip_nor_repeat_while_jobs_arrive(
        self, engine: Engine, narrowed: str
    ) -> None:
        labels = {"team": "vision", "run": "\0"}
        queued = [enqueue(engine, labels=labels).id for _ in range(7)]

        def page(cursor: str | None) -> Page[Job]:
            state = JobState.QUEUED if narrowed == "state" else None
            label = ("team", "vision") if narrowed == "label" else None
            return jobs.page(engine, JobFilter(state=state, label=label), limit=3, cursor=cursor)

        make_simultaneous(engine)
        seen, cursor, pages = list[str](), None, 0
        while pages == 0 or cursor is not None:
            found = page(cursor)
            seen += [job.id for job in found.items]
            cursor, pages = found.next_cursor, pages + 1
            enqueue(engine, labels=labels)
        assert seen == queued[::-1]
        assert pages == 3

    def test_a_page_that_ends_the_listing_has_no_cursor(self, engine: Engine) -> None:
        for _ in range(3):
            enqueue(engine)
        assert jobs.page(engine, limit=3).next_cursor is None

    def test_a_listing_is_narrowed_by_state_and_label(self, engine: Engine) -> None:
        first = enqueue(engine, labels={"team": "vision", "run": "1"})
        second = enqueue(engine, labels={"team": "vision"})
        enqueue(engine, labels={"team": "speech"})
        claim(engine)
        both = jobs.page(engine, JobFilter(label=("team", "vision"))).items
        assert [job.id for job in both] == [second.id, first.id]
        running = jobs.page(
            engine, JobFilter(state=JobState.RUNNING, label=("team", "vision"))
        ).items
        assert [job.id for job in running] == [first.id]
        assert jobs.page(engine, JobFilter(label=("team", "\0"))).items == ()

    def test_a_listing_leaves_out_the_histograms(self, engine: Engine) -> None:
        enqueue(engine)
        leases.begin(engine, claim(engine), SETUP)
        (job,) = jobs.page(engine).items
        assert job.setup is not None
        assert job.setup.baseline == SETUP.baseline
        assert job.setup.histograms == {}

    @pytest.mark.parametrize("cursor", NO_CURSORS)
    def test_what_is_no_cursor_is_refused(self, engine: Engine, cursor: str) -> None:
        with pytest.raises(BadCursor):
            jobs.page(engine, cursor=cursor)

    def test_a_queued_job_is_cancelled_at_once(self, engine: Engine) -> None:
        job = jobs.request_cancel(engine, enqueue(engine).id)
        assert job.state is JobState.CANCELLED
        assert job.finished_at is not None
        assert leases.claim(engine, lease_seconds=samples.LONG) is None

    def test_a_running_job_is_left_to_its_worker(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine)
        job = jobs.request_cancel(engine, lease.job_id)
        assert (job.state, job.cancel_requested) == (JobState.RUNNING, True)
        assert jobs.request_cancel(engine, lease.job_id) == job

    def test_a_running_job_without_a_worker_is_cancelled_at_once(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine, lease_seconds=samples.LAPSED)
        assert jobs.request_cancel(engine, lease.job_id).state is JobState.CANCELLED

    def test_a_final_job_cannot_be_cancelled(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine)
        leases.succeed(engine, lease, {"format": 1})
        with pytest.raises(JobAlreadyFinal, match="has already succeeded"):
            jobs.request_cancel(engine, lease.job_id)
        assert jobs.get(engine, lease.job_id).state is JobState.SUCCEEDED

    def test_every_state_is_counted(self, engine: Engine) -> None:
        assert set(jobs.counts_by_state(engine).values()) == {0}
        enqueue(engine)
        enqueue(engine)
        claim(engine)
        counts = jobs.counts_by_state(engine)
        assert set(counts) == set(JobState)
        assert (counts[JobState.QUEUED], counts[JobState.RUNNING]) == (1, 1)

    def test_the_catalog_holds_the_latest_announcement_of_each_offer(self, engine: Engine) -> None:
        old = Offer(kind="model", name="squeezenet", details={"points": 1})
        new = Offer(kind="model", name="squeezenet", details={"points": 26})
        other = Offer(kind="model", name="alexnet", details={})
        catalog.announce(engine, [old, other, Offer(kind="dataset", name="shapes", details={})])
        catalog.announce(engine, [old, new])
        assert catalog.offers(engine, "model") == (other, new)
        assert catalog.offers(engine, "sampler") == ()


def make_simultaneous(engine: Engine) -> None:
    """Give all jobs one time of creation, so that only their ids tell their order."""
    with engine.begin() as connection:
        connection.execute(update(JobRow).values(created_at=1.0))
        connection.execute(update(LabelRow).values(created_at=1.0))
