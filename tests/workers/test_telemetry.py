"""What a worker tells of its work: figures, spans, and lines that name the job they are about."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from service.otel import OtelTracer
from service.store import jobs
from service.store import leases
from service.store.errors import DatabaseUnreachable
from service.store.errors import LeaseLost
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.samples import ERROR
from tests.workers.conftest import Submit
from workers.heartbeat import Heartbeat
from workers.metrics import WorkerMetrics
from workers.telemetry import Telemetry
from workers.watchdog import Watchdog
from workers.worker import Worker

Lines = list[MutableMapping[str, Any]]
PATIENCE = 60  # seconds


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.metrics.registry.get_sample_value(f"bitfloor_worker_{name}", labels)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Whatever the database: what it is asked is tested elsewhere, on both."""
    return sqlite_url


@pytest.fixture
def logged() -> Iterator[Lines]:
    """Return what is logged, with what was bound to the job."""
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as lines:
        yield lines


class TestAJob:
    def test_it_is_told_in_figures_spans_and_lines(
        self, worker: Worker, submit: Submit, *, engine: Engine, logged: Lines
    ) -> None:
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        telemetry = Telemetry(tracer=OtelTracer(provider))
        job_id = submit(budget=3).id
        replace(worker, telemetry=telemetry).work_once()

        job = jobs.get(engine, job_id)
        assert job.state is JobState.SUCCEEDED
        assert value(telemetry, "trial_seconds_count") == 3
        assert 0 < (value(telemetry, "trial_seconds_sum") or 0) < PATIENCE
        assert value(telemetry, "images_total") == job.progress.images_evaluated
        assert (value(telemetry, "claims_total"), value(telemetry, "reclaims_total")) == (1, 0)
        assert value(telemetry, "attempts_total", end="finished") == 1
        assert value(telemetry, "busy") == 0

        *inner, attempt = exporter.get_finished_spans()
        names = ["load", "setup", "trial", "trial", "trial", "end of search", "certification"]
        assert [span.name for span in inner] == names
        assert attempt.context is not None
        assert {span.parent and span.parent.span_id for span in inner} == {attempt.context.span_id}
        about = dict(attempt.attributes or {})
        assert (about["bitfloor.job.id"], about["bitfloor.job.attempt"]) == (job_id, 1)
        assert about["bitfloor.attempt.end"] == "finished"
        numbers = [(span.attributes or {}).get("bitfloor.trial.number") for span in inner[2:5]]
        assert numbers == [0, 1, 2]

        assert {"claimed", "finished"} <= {line["event"] for line in logged}
        assert {(line["job"], line["attempt"]) for line in logged} == {(job_id, 1)}
        assert {line["trace_id"] for line in logged} == {f"{attempt.context.trace_id:032x}"}

    def test_one_that_cannot_work_ends_as_failed(
        self, worker: Worker, submit: Submit, logged: Lines
    ) -> None:
        submit(model="resnet-9000")
        worker.work_once()
        assert value(worker.telemetry, "attempts_total", end="failed") == 1
        assert value(worker.telemetry, "attempts_total", end="finished") == 0
        assert logged[-1]["event"] == "failed"

    def test_one_that_was_claimed_before_is_a_reclaim(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        submit(model="resnet-9000")
        claimed = leases.claim(engine, lease_seconds=0.0)
        assert claimed
        worker.work_once()
        assert value(worker.telemetry, "reclaims_total") == 1

    def test_a_lease_that_is_lost_is_counted(
        self, worker: Worker, submit: Submit, engine: Engine
    ) -> None:
        job_id = submit(budget=5000, quantizers=("affine", "codebook")).id
        thread = threading.Thread(target=worker.work_once)
        thread.start()
        while not jobs.get(engine, job_id).progress.trials:
            assert thread.is_alive()
        leases.fail(engine, Lease(job_id, 1), ERROR)
        thread.join(PATIENCE)
        assert value(worker.telemetry, "lease_losses_total") == 1
        assert value(worker.telemetry, "attempts_total", end="lease_lost") == 1


class TestAttempt:
    def test_a_database_that_goes_away_leaves_the_attempt_abandoned(self, submit: Submit) -> None:
        telemetry = Telemetry()

        def work() -> Any:
            assert value(telemetry, "busy") == 1
            raise DatabaseUnreachable("db", "it sleeps")

        with pytest.raises(DatabaseUnreachable):
            telemetry.attempt(submit(), 1, work=work)
        assert value(telemetry, "attempts_total", end="abandoned") == 1
        assert value(telemetry, "busy") == 0
        assert structlog.contextvars.get_contextvars() == {}


def renewed() -> bool:
    return True


def missed() -> bool:
    raise DatabaseUnreachable("db", "it sleeps")


def lost() -> bool:
    raise LeaseLost(Lease("a", 1))


class TestHeartbeat:
    @pytest.mark.parametrize("renew", [renewed, missed, lost], ids=lambda renew: renew.__name__)
    def test_every_try_is_counted_by_how_it_ended(self, renew: Callable[[], bool]) -> None:
        telemetry = Telemetry()
        try:
            assert telemetry.heartbeat(renew)
        except (DatabaseUnreachable, LeaseLost):
            assert renew is not renewed
        for result in ("renewed", "missed", "lost"):
            expected = 1 if result == renew.__name__ else 0
            assert value(telemetry, "heartbeats_total", result=result) == expected


class TestThreads:
    def test_what_they_log_names_the_job(self, logged: Lines) -> None:
        done = threading.Event()

        def renew() -> bool:
            structlog.get_logger().info("renewing")
            done.set()
            return False

        ended = threading.Event()
        with structlog.contextvars.bound_contextvars(job="a-job", attempt=3):
            with Heartbeat(renew, interval=0.01):
                assert done.wait(PATIENCE)
            watchdog = Watchdog(lambda what, _: structlog.get_logger().error(what), ended.set)
            with watchdog.limit("overdue", 0.01):
                assert ended.wait(PATIENCE)
        assert {"renewing", "overdue"} == {line["event"] for line in logged}
        assert {(line["job"], line["attempt"]) for line in logged} == {("a-job", 3)}


class TestServe:
    def test_it_answers_prometheus(self) -> None:
        metrics = WorkerMetrics()
        metrics.claims.inc(3)
        port = metrics.serve("127.0.0.1", 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        (claims,) = [one for one in families if one.name == "bitfloor_worker_claims"]
        assert claims.samples[0].value == 3

    def test_a_port_that_is_taken_is_one_line_and_status_1(self, sqlite_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            command = [sys.executable, "-m", "workers", "--once", "--database-url", sqlite_url]
            ended = subprocess.run(
                command,
                env={**os.environ, "BITFLOOR_METRICS_PORT": port},
                capture_output=True,
                check=False,
                text=True,
                timeout=PATIENCE,
            )
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"error: cannot serve metrics on port {port} of 127.0.0.1")
        assert ended.stderr.count("\n") == 1
