"""docs/webhooks.md: its receiver is one, and its document is what is sent."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from service.api.submission import JobSubmission
from service.store import deliveries
from service.store import jobs
from service.store import leases
from service.store.webhooks import Event
from service.store.webhooks import Webhook
from service.webhooks.allowlist import entries
from service.webhooks.couriers import deliver_next
from service.webhooks.message import document
from service.webhooks.post import Sender
from service.webhooks.underway import Underway
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.ports import free_ports
from tests.service.webhooks.test_couriers import SECRETS
from tests.service.webhooks.test_couriers import VISION
from tests.service.webhooks.test_couriers import until

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class TestReceiver:
    @pytest.mark.parametrize(
        "secret, status", [(VISION, 204), (f"whsec_{'A' * 32}", 400)], ids=["its own", "another"]
    )
    def test_it_takes_what_is_signed_and_nothing_else(
        self, engine: Engine, secret: str, status: int
    ) -> None:
        (port,) = free_ports(1)
        program = fenced("python").replace("9000", str(port))
        environment = {"WEBHOOK_SECRET": secret, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as receiver:
            try:
                assert until(lambda: listens(port))
                url = f"http://127.0.0.1:{port}/"
                job = enqueue(engine, tenant="vision", webhook=Webhook(url=url))
                jobs.request_cancel(engine, job.id)
                sender, underway = Sender(entries(url.rstrip("/"))), Underway(share=1)
                assert deliver_next(engine, sender, secrets=SECRETS, underway=underway)
            finally:
                receiver.terminate()
            assert receiver.stdout is not None
            printed = receiver.stdout.read().decode().split()
        (told,) = deliveries.of_job(engine, job.id)
        assert told.status == status
        assert printed == ([told.id, "job.cancelled", job.id] if status == 204 else [])


class TestRequest:
    def test_it_can_be_submitted_and_names_the_events_there_are(self) -> None:
        submission = JobSubmission.model_validate(yaml.safe_load(fenced("yaml"))).to_value(None)
        assert submission.webhook == Webhook(url="https://ci.example.com/bitfloor")
        assert all(f" {event}" in TEXT or f"[{event}" in TEXT for event in Event)


class TestMessage:
    def test_the_example_has_the_fields_that_are_sent(self, engine: Engine) -> None:
        enqueue(engine, webhook=Webhook(url="https://ci.example.com/"))
        leases.succeed(engine, claim(engine), {"saved": 0.87})
        claimed = deliveries.claim(engine, lease_seconds=60)
        assert claimed is not None
        sent, example = document(*claimed), json.loads(fenced("json"))
        assert [*sent] == [*example]
        assert [*sent["data"]] == [*example["data"]]

    def test_entries_of_the_table_can_be_used(self) -> None:
        table = TEXT.partition("| entry | allows |")[2].partition("\n\n")[0]
        shown = [one for line in table.splitlines()[2:] for one in line.split("|")[1].split(",")]
        assert len([entries(one.strip(" `")) for one in shown]) == 6
