"""submit and watch against a real API, with a worker's part played by the store."""

import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine

from service.cli import watch
from service.client import BitfloorClient
from service.store import jobs
from service.store import leases
from service.store.values import JobError
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import BEST_DOCUMENT
from tests.service.api.deployment import INFEASIBLE_DOCUMENT
from tests.service.cli.conftest import Bitfloor

SPEC = "model: tiny\ndataset: digits\ntolerance: 0.02\nbudget: 6\n"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """Return the path of a valid request."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return str(path)


End = Callable[[Engine, Lease], None]

ENDINGS: list[tuple[End, int, str]] = [
    (lambda store, lease: leases.succeed(store, lease, BEST_DOCUMENT), 0, "succeeded"),
    (
        lambda store, lease: leases.fail(store, lease, JobError(code="x", message="it broke")),
        4,
        "it broke",
    ),
    (
        lambda store, lease: leases.end_infeasible(store, lease, INFEASIBLE_DOCUMENT),
        5,
        "missed the floor",
    ),
    (leases.cancel, 6, "cancelled"),
]


class TestSubmit:
    def test_the_id_and_nothing_else_goes_to_stdout(
        self, bitfloor: Bitfloor, store: Engine, spec: str
    ) -> None:
        ended = bitfloor("submit", spec)
        assert ended.status == 0
        assert jobs.get(store, ended.out.strip()).submission.spec.model == "tiny"

    def test_overrides_reach_the_server(self, bitfloor: Bitfloor, store: Engine, spec: str) -> None:
        job_id = bitfloor("submit", spec, "--set", "tolerance=0.01", "--set", "seed=7").out.strip()
        submitted = jobs.get(store, job_id).submission.spec
        assert (submitted.tolerance, submitted.seed) == (0.01, 7)

    def test_the_same_key_gives_the_same_job(self, bitfloor: Bitfloor, spec: str) -> None:
        first = bitfloor("submit", spec, "--idempotency-key", "once")
        assert bitfloor("submit", spec, "--idempotency-key", "once").out == first.out

    def test_the_same_key_for_another_request_is_an_error(
        self, bitfloor: Bitfloor, spec: str
    ) -> None:
        bitfloor("submit", spec, "--idempotency-key", "once")
        ended = bitfloor("submit", spec, "--idempotency-key", "once", "--set", "seed=1")
        assert (ended.status, ended.out) == (1, "")

    @pytest.mark.parametrize(
        "override, told",
        [("model=huge", "huge"), ("tolerance=2", "tolerance"), ("colour=red", "colour")],
    )
    def test_a_request_the_server_refuses_is_status_2_and_names_the_field(
        self, bitfloor: Bitfloor, spec: str, override: str, told: str
    ) -> None:
        ended = bitfloor("submit", spec, "--set", override)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("error: ")
        assert told in ended.err

    def test_with_wait_it_ends_as_the_job_does(
        self, bitfloor: Bitfloor, store: Engine, spec: str
    ) -> None:
        done = threading.Event()

        def work() -> None:
            while leases_taken(store) is None:
                done.wait(0.05)

        def leases_taken(engine: Engine) -> Lease | None:
            claimed = leases.claim(engine, lease_seconds=60)
            if claimed:
                leases.fail(engine, claimed[0], JobError(code="x", message="it broke"))
            return claimed[0] if claimed else None

        worker = threading.Thread(target=work)
        worker.start()
        ended = bitfloor("submit", spec, "--wait")
        worker.join()
        assert ended.status == 4
        assert "failed: it broke" in ended.err


class TestWatch:
    @pytest.mark.parametrize("end, status, told", ENDINGS)
    def test_the_exit_status_tells_how_it_ended(
        self, bitfloor: Bitfloor, store: Engine, end: End, status: int, told: str
    ) -> None:
        lease = deployment.running(store)
        deployment.record(store, lease, *deployment.MIXED)
        end(store, lease)
        ended = bitfloor("watch", lease.job_id)
        assert (ended.status, ended.out) == (status, "")
        assert told in ended.err

    def test_without_a_terminal_progress_is_plain_lines(
        self, bitfloor: Bitfloor, store: Engine
    ) -> None:
        lease = deployment.running(store)
        deployment.record(store, lease, *deployment.MIXED)
        leases.succeed(store, lease, BEST_DOCUMENT)
        told = bitfloor("watch", lease.job_id).err
        assert ": 6/" in told
        assert "floor 88.00 %" in told
        assert "\x1b" not in told

    def test_an_unknown_id_is_status_1(self, bitfloor: Bitfloor) -> None:
        assert bitfloor("watch", "nothing").status == 1

    def test_on_a_terminal_a_bar_is_drawn(self, store: Engine, server: str) -> None:
        lease = deployment.running(store)
        deployment.record(store, lease, *deployment.MIXED)
        leases.succeed(store, lease, BEST_DOCUMENT)
        drawn = StringIO()
        terminal = Console(file=drawn, force_terminal=True, width=100)
        with BitfloorClient(server) as client:
            job = watch._draw(client.follow(lease.job_id), terminal)
        assert job.state == "succeeded"
        for part in ("━", " 6/", "images, ", "floor 88.00 %"):
            assert part in drawn.getvalue()
