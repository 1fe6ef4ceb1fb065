"""webhook: a tenant's secret, its deliveries, and servers that sign and send."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.options import Options
from service.signatures import tenant_secret
from service.signatures import verify_webhook
from service.store import deliveries
from service.store import jobs
from service.store.webhooks import DeliveryState
from service.store.webhooks import Outcome
from service.store.webhooks import Webhook
from service.webhooks.allowlist import entries
from tests.conftest import opened
from tests.service.api import deployment
from tests.service.cli.conftest import Bitfloor
from tests.service.webhooks.receivers import receiving
from tests.service.webhooks.test_couriers import until

HOSTS = "BITFLOOR_WEBHOOK_HOSTS"
VARIABLE = "BITFLOOR_WEBHOOK_SECRET"


class TestSecret:
    def test_it_is_printed_alone(self, run: Bitfloor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, "s" * 32)
        expected = tenant_secret("s" * 32, "vision")
        assert run("webhook", "secret", "vision").out == f"{expected}\n"
        assert run("webhook", "secret").out != f"{expected}\n"

    def test_during_a_rotation_it_is_that_of_the_first(
        self, run: Bitfloor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new, old = "n" * 32, "o" * 32
        (tmp_path / "secret").write_text(f"{new}\n{old}\n")
        monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "secret"))
        assert run("webhook", "secret").out.strip() == tenant_secret(new, "default")

    @pytest.mark.parametrize(
        "name, value, why",
        [
            (VARIABLE, "", "there is no secret"),
            (VARIABLE, "short", "could be guessed"),
            (VARIABLE, f"{'n' * 32} short", "could be guessed"),
            (f"{VARIABLE}_FILE", "/nowhere/to/be/found", "cannot be read"),
            (HOSTS, "", "there is no secret"),
        ],
    )
    def test_without_a_good_one_it_says_what_to_do(
        self, run: Bitfloor, monkeypatch: pytest.MonkeyPatch, *, name: str, value: str, why: str
    ) -> None:
        monkeypatch.setenv(name, value)
        ended = run("webhook", "secret")
        assert (ended.status, ended.out) == (2, "")
        assert why in ended.err
        assert "nnn" not in ended.err

    def test_what_is_no_tenant_is_told(self, run: Bitfloor) -> None:
        ended = run("webhook", "secret", "Vision!")
        assert (ended.status, "is no tenant's name" in ended.err) == (2, True)


class TestDeliveries:
    def test_they_are_listed(self, run: Bitfloor, server: str, store: Engine) -> None:
        job = deployment.enqueue(store, webhook=Webhook(url="https://ci.example.com/"))
        command = ("webhook", "deliveries", job.id, "--server", server)
        assert "nothing happened yet" in run(*command).out
        jobs.request_cancel(store, job.id)
        assert deliveries.claim(store, lease_seconds=60) is not None
        assert "cancelled" in run(*command).out
        (told,) = json.loads(run(*command, "--format", "json").out)
        assert (told["event"], told["state"], told["tries"]) == ("cancelled", "pending", 1)


class TestResend:
    @pytest.fixture
    def hooked(self, store: Engine) -> Iterator[str]:
        """Return the address of a server that may call the receiver."""
        options = Options(webhook_hosts=entries("ci.example.com"))
        with deployment.served(create_app(store, options)) as address:
            yield address

    def test_what_was_given_up_is_sent_again(
        self, run: Bitfloor, hooked: str, store: Engine
    ) -> None:
        job, delivery = over(store, Outcome(status=410, error="the receiver answered 410"))
        ended = run("webhook", "resend", job, "--server", hooked)
        assert (ended.status, ended.out) == (0, f"{delivery}\n")
        assert deliveries.of_job(store, job)[0].state is DeliveryState.PENDING
        again = run("webhook", "resend", job, "--server", hooked)
        assert (again.status, again.out, "nothing was given up" in again.err) == (0, "", True)

    def test_what_was_delivered_is_sent_again_if_it_is_named(
        self, run: Bitfloor, hooked: str, store: Engine
    ) -> None:
        job, delivery = over(store, Outcome(status=204))
        assert run("webhook", "resend", job, "--server", hooked).out == ""
        assert run("webhook", "resend", job, delivery, "--server", hooked).out == f"{delivery}\n"
        refused = run("webhook", "resend", job, delivery, "--server", hooked)
        assert (refused.status, "still to be tried" in refused.err) == (1, True)

    def test_the_list_names_what_can_be_named(
        self, run: Bitfloor, hooked: str, store: Engine
    ) -> None:
        job, delivery = over(store, Outcome(status=204))
        assert delivery in run("webhook", "deliveries", job, "--server", hooked).out


def over(store: Engine, outcome: Outcome) -> tuple[str, str]:
    """Return the ids of a job and of its delivery, of which that came."""
    job = deployment.enqueue(store, webhook=Webhook(url="https://ci.example.com/"))
    jobs.request_cancel(store, job.id)
    claimed = deliveries.claim(store, lease_seconds=60)
    assert claimed is not None
    deliveries.record(store, claimed[0], outcome)
    return job.id, claimed[0].id


@contextmanager
def serving(url: str, **environment: str) -> Iterator[str]:
    """Run `bitfloor serve`; yield its address."""
    command = ["serve", "--database-url", url, "--port", "0"]
    with (
        # a pipe that nobody reads would be full some day
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [sys.executable, "-m", "service.cli", *command],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | environment,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            log.seek(0)
            assert line.startswith("server "), log.read()
            yield line.split()[1]
        finally:
            process.terminate()


class TestServe:
    def test_what_is_submitted_to_it_is_told_to_the_receiver(self, sqlite_url: str) -> None:
        with opened(sqlite_url) as engine:
            deployment.announce(engine)
        secret = "s" * 32
        with receiving() as receiver:
            allowed = f"http://127.0.0.1:{receiver.port}"
            body = deployment.BODY | {"webhook": {"url": receiver.url()}}
            with serving(sqlite_url, **{HOSTS: allowed, VARIABLE: secret}) as address:
                job = httpx.post(f"{address}/v1/jobs", json=body, timeout=30).json()
                httpx.post(f"{address}/v1/jobs/{job['id']}/cancel", timeout=30)
                assert until(lambda: len(receiver.requests) == 1)
                (request,) = receiver.requests
                own = tenant_secret(secret, "default")
                document = verify_webhook(request.headers, request.body, secret=own)
                assert (document["type"], document["data"]["id"]) == ("job.cancelled", job["id"])
                where = address + job["links"]["deliveries"]

                def delivered() -> bool:
                    (told,) = httpx.get(where, timeout=30).json()["items"]
                    return bool(told["state"] == "delivered")

                assert until(delivered)

    @pytest.mark.parametrize(
        "environment, why",
        [
            ({HOSTS: "ci.example.com"}, "BITFLOOR_WEBHOOK_SECRET: there is no secret"),
            ({HOSTS: "*.example.com", VARIABLE: "s" * 32}, "BITFLOOR_WEBHOOK_HOSTS: '*.example"),
        ],
    )
    def test_what_cannot_be_used_keeps_it_from_starting(
        self, sqlite_url: str, environment: dict[str, str], why: str
    ) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "service.cli", "serve", "--database-url", sqlite_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ | environment,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert why in ended.stderr
        assert ended.stderr.count("\n") == 1
