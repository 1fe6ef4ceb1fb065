"""What Python users import: a job from submission to its certified allocation, over real HTTP."""

import threading
from collections.abc import Callable
from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

import bitfloor
from service.api.app import create_app
from service.api.options import Options
from service.store import jobs
from service.store import leases
from service.store.values import JobError
from service.store.values import Lease
from tests.conftest import opened
from tests.service.api import deployment
from tests.service.api import hooks
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.api.deployment import BODY
from tests.service.api.deployment import INFEASIBLE_DOCUMENT


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Engine]:
    """Return a migrated database in which a worker has announced what it offers."""
    with opened(sqlite_url) as engine:
        deployment.announce(engine)
        yield engine


@pytest.fixture
def client(store: Engine) -> Iterator[bitfloor.Client]:
    """Return a client of a real server over the store."""
    with deployment.served(create_app(store)) as address, bitfloor.Client(address) as client:
        yield client


@pytest.fixture
def lease(store: Engine) -> Lease:
    """Return a running job's, with a few trials recorded."""
    lease = deployment.running(store)
    deployment.record(store, lease, *deployment.MIXED)
    return lease


def test_from_submission_to_the_allocation_in_one_line(
    client: bitfloor.Client, store: Engine
) -> None:
    submitted = client.submit(BODY)

    def work() -> None:
        lease = deployment.start(store)
        deployment.record(store, lease, *deployment.MIXED)
        leases.succeed(store, lease, BEST_DOCUMENT)

    worker = threading.Timer(0.2, work)
    worker.start()
    best = submitted.wait(timeout=30).best()
    worker.join()
    assert best.certified
    assert (best.saved, best.certification.p_value) == (0.87, 0.0123)
    assert {point.name: point.bit_width for point in best.points} == {
        "features.0": 4,
        "features.3": 4,
        "classifier": 4,
    }
    assert client.best(submitted.id, etag=str(best.etag)) is None
    assert client.best(submitted.id, etag='"another"') == best
    assert bitfloor.Best.of(best.raw).points == best.points


def test_a_handle_is_the_job_and_never_changes(client: bitfloor.Client, store: Engine) -> None:
    submitted = client.submit(BODY)
    deployment.start(store)
    assert submitted.state is bitfloor.JobState.QUEUED
    assert submitted.refresh().state is bitfloor.JobState.RUNNING
    assert "_server" not in submitted.model_dump()
    with pytest.raises(ValidationError):
        submitted.id = "another"


def test_all_that_is_known_of_a_job_is_asked_of_its_handle(
    client: bitfloor.Client, lease: Lease
) -> None:
    job = next(client.jobs())
    assert [trial.number for trial in job.trials()] == list(range(6))
    assert {trial.number for trial in job.front().front} == {*deployment.MIXED_FRONT}
    assert job.report().startswith("<!doctype html>")
    with pytest.raises(bitfloor.Problem) as early:
        job.best()
    assert early.value.code == "no-best-yet"


def test_progress_is_told_once_for_every_change(client: bitfloor.Client, store: Engine) -> None:
    job = client.submit(BODY)
    told: list[tuple[str, int]] = []
    leased: list[Lease] = []

    def note(seen: bitfloor.Job) -> None:
        told.append((seen.state.value, seen.progress.trials))
        if seen.state is bitfloor.JobState.QUEUED:
            leased.append(deployment.start(store))
            deployment.record(store, leased[0], *deployment.MIXED)
        elif seen.state is bitfloor.JobState.RUNNING:
            # a few looks later
            threading.Timer(1.2, leases.cancel, (store, leased[0])).start()

    with pytest.raises(bitfloor.JobCancelled):
        job.wait(timeout=60, on_progress=note)
    assert told == [("queued", 0), ("running", 6), ("cancelled", 6)]


def test_a_job_that_takes_too_long_is_named(client: bitfloor.Client) -> None:
    job = client.submit(BODY)
    with pytest.raises(bitfloor.WaitTimeout) as late:
        job.wait(timeout=0.1)
    assert (late.value.job_id, late.value.timeout) == (job.id, 0.1)


End = Callable[[Engine, Lease], None]
ENDINGS: list[tuple[End, type[bitfloor.JobEnded], str]] = [
    (
        lambda store, lease: leases.fail(store, lease, JobError(code="x", message="it broke")),
        bitfloor.JobFailed,
        "failed: it broke",
    ),
    (
        lambda store, lease: leases.end_infeasible(store, lease, INFEASIBLE_DOCUMENT),
        bitfloor.JobInfeasible,
        "is infeasible: the closest allocation missed",
    ),
    (leases.cancel, bitfloor.JobCancelled, "was cancelled after 6 trials"),
]


@pytest.mark.parametrize("end, error, told", ENDINGS)
def test_another_end_is_an_error_of_its_own(
    client: bitfloor.Client,
    store: Engine,
    lease: Lease,
    *,
    end: End,
    error: type[bitfloor.JobEnded],
    told: str,
) -> None:
    end(store, lease)
    with pytest.raises(error, match=told) as raised:
        client.job(lease.job_id).wait()
    assert raised.value.job.id == lease.job_id
    assert isinstance(raised.value, bitfloor.ClientError)


def test_a_queued_job_is_cancelled_at_once(client: bitfloor.Client) -> None:
    assert client.submit(BODY).cancel().state is bitfloor.JobState.CANCELLED


def test_what_a_webhook_was_told_is_listed_and_sent_again(store: Engine) -> None:
    job = deployment.enqueue(store, webhook=hooks.WEBHOOK)
    jobs.request_cancel(store, job.id)
    told = hooks.tried(store)
    app = create_app(store, Options(webhook_hosts=hooks.HOSTS))
    with deployment.served(app) as address, bitfloor.Client(address) as client:
        (listed,) = client.deliveries(job.id)
        assert (listed.id, listed.state, listed.tries) == (told.id, "delivered", 1)
        again = client.resend(job.id, listed.id)
        assert (again.id, again.state, again.tries) == (told.id, "pending", 0)
        assert client.deliveries(job.id) == (again,)
        with pytest.raises(bitfloor.Problem) as pending:
            client.resend(job.id, listed.id)
        assert pending.value.code == "delivery-pending"
        with pytest.raises(bitfloor.Problem) as missing:
            client.resend(job.id, "../../cancel?")
        assert missing.value.status == 404
