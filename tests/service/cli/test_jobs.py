"""list, show, cancel and priority against a real API."""

import json

import pytest
import yaml
from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store import reuse
from tests.service.api import deployment
from tests.service.cli.conftest import Bitfloor


class TestList:
    def test_jobs_come_newest_first(self, bitfloor: Bitfloor, store: Engine) -> None:
        ids = [deployment.enqueue(store, seed=seed).id for seed in range(3)]
        listed = json.loads(bitfloor("list", "--format", "json").out)
        assert [job["id"] for job in listed] == ids[::-1]

    def test_a_table_in_a_pipe_has_whole_ids(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = deployment.enqueue(store)
        assert job.id in bitfloor("list").out

    def test_more_jobs_than_a_page_are_followed(self, bitfloor: Bitfloor, store: Engine) -> None:
        for seed in range(205):
            deployment.enqueue(store, seed=seed)
        listed = json.loads(bitfloor("list", "--limit", "203", "--format", "json").out)
        assert len({job["id"] for job in listed}) == 203

    def test_state_and_label_narrow_it(self, bitfloor: Bitfloor, store: Engine) -> None:
        deployment.enqueue(store, seed=1, labels={"team": "audio"})
        wanted = deployment.enqueue(store, seed=2, labels={"team": "vision"})
        found = bitfloor("list", "--label", "team=vision", "--state", "queued", "--format", "json")
        assert [job["id"] for job in json.loads(found.out)] == [wanted.id]
        assert json.loads(bitfloor("list", "--state", "failed", "--format", "json").out) == []


class TestShow:
    def test_a_table_tells_the_facts(self, bitfloor: Bitfloor, store: Engine) -> None:
        lease = deployment.running(store)
        deployment.record(store, lease, *deployment.MIXED)
        shown = bitfloor("show", lease.job_id)
        assert shown.status == 0
        for fact in (lease.job_id, "running", "searching", "tiny", "88.00 %", "6 of "):
            assert fact in shown.out

    def test_the_job_that_answered_it_is_named(self, bitfloor: Bitfloor, store: Engine) -> None:
        earlier = deployment.running(store)
        assert not reuse.answer(store, earlier, "a" * 64, fresh=True)
        leases.succeed(store, earlier, deployment.BEST_DOCUMENT)
        job = deployment.enqueue(store, seed=1)
        claimed = leases.claim(store, lease_seconds=60)
        assert claimed is not None
        assert reuse.answer(store, claimed[0], "a" * 64, fresh=False)
        assert f"answered from job  {earlier.job_id}" in bitfloor("show", job.id).out
        assert "answered from job" not in bitfloor("show", earlier.job_id).out

    def test_yaml_and_json_hold_the_same(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = deployment.enqueue(store)
        as_json = json.loads(bitfloor("show", job.id, "--format", "json").out)
        assert as_json == yaml.safe_load(bitfloor("show", job.id, "--format", "yaml").out)
        assert as_json["state"] == "queued"

    def test_markup_and_escapes_in_a_label_reach_no_terminal(
        self, bitfloor: Bitfloor, store: Engine
    ) -> None:
        job = deployment.enqueue(store, labels={"note": "[red]x[/red]\x1b]0;title\x07"})
        shown = bitfloor("show", job.id).out
        assert "[red]x[/red]" in shown
        assert "\x1b" not in shown

    def test_an_unknown_id_is_one_line_and_status_1(self, bitfloor: Bitfloor) -> None:
        ended = bitfloor("show", "nowhere")
        assert ended.status == 1
        assert ended.err == "error: there is no job 'nowhere'\n"

    def test_an_id_cannot_lead_to_another_path(self, bitfloor: Bitfloor) -> None:
        assert bitfloor("show", "../models").status == 1


class TestCancel:
    def test_a_queued_job_is_cancelled_at_once(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = deployment.enqueue(store)
        ended = bitfloor("cancel", job.id)
        assert (ended.status, ended.out) == (0, "")
        assert jobs.get(store, job.id).state == "cancelled"

    def test_a_running_job_is_asked_to_end(self, bitfloor: Bitfloor, store: Engine) -> None:
        lease = deployment.running(store)
        assert "asked" in bitfloor("cancel", lease.job_id).err
        assert jobs.get(store, lease.job_id).cancel_requested

    def test_an_ended_job_cannot_be_cancelled(self, bitfloor: Bitfloor, store: Engine) -> None:
        job = deployment.enqueue(store)
        bitfloor("cancel", job.id)
        ended = bitfloor("cancel", job.id)
        assert ended.status == 1
        assert "already been cancelled" in ended.err


class TestPriority:
    @pytest.mark.parametrize("value", [9, -5])
    def test_it_is_changed_and_told(self, bitfloor: Bitfloor, store: Engine, value: int) -> None:
        job = deployment.enqueue(store)
        ended = bitfloor("priority", job.id, str(value))
        assert (ended.status, ended.out) == (0, "")
        assert ended.err == f"{job.id} has priority {value}\n"
        assert jobs.get(store, job.id).priority == value

    def test_what_is_no_number_is_one_line_and_status_2(self, bitfloor: Bitfloor) -> None:
        ended = bitfloor("priority", "nowhere", "high")
        assert ended.status == 2
        assert ended.err.count("\n") == 1
