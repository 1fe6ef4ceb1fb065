"""Jobs as clients look them up, page through them and cancel them."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from service.store import leases
from service.store.values import JobError
from tests.contracts.samples import claim
from tests.service.api import deployment
from tests.service.api.deployment import problem_of


def ids(page: dict[str, Any]) -> list[str]:
    return [job["id"] for job in page["items"]]


class TestShow:
    def test_a_queued_job_knows_nothing_yet(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        shown = client.get(f"/v1/jobs/{job.id}").json()
        assert shown["started_at"] is None
        assert shown["progress"] == {
            "trials": 0,
            "budget": 60,
            "images_evaluated": 0,
            "float_accuracy": None,
            "floor": None,
            "best": None,
        }
        created = datetime.fromisoformat(shown["created_at"])
        assert created.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - created) < timedelta(minutes=5)

    def test_progress_tells_the_feasible_trial_with_the_fewest_bits(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        deployment.record(engine, lease, *deployment.MIXED)
        shown = client.get(f"/v1/jobs/{lease.job_id}").json()
        assert (shown["state"], shown["stage"]) == ("running", "searching")
        assert shown["progress"]["float_accuracy"] == 0.9
        assert shown["progress"]["floor"] == pytest.approx(0.88)
        best = shown["progress"]["best"]
        assert best["trial"] == 5
        assert best["accuracy"] == 0.881
        bits = 4 * 4096 + 4 * 2048 + 5 * 512
        assert best["memory_bytes"] == bits // 8
        assert best["saved"] == pytest.approx(1 - bits / (32 * 6656))
        assert best["average_bits"] == pytest.approx(bits / 6656)

    def test_a_failed_job_tells_why(self, client: httpx.Client, engine: Engine) -> None:
        lease = deployment.running(engine)
        leases.fail(engine, lease, JobError(code="unsupported-network", message="a loop"))
        shown = client.get(f"/v1/jobs/{lease.job_id}").json()
        assert shown["error"] == {"code": "unsupported-network", "message": "a loop"}
        assert shown["finished_at"] is not None

    def test_an_infeasible_job_tells_the_closest(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        leases.end_infeasible(engine, lease, deployment.INFEASIBLE_DOCUMENT)
        shown = client.get(f"/v1/jobs/{lease.job_id}").json()
        assert shown["infeasible"] == deployment.INFEASIBLE_DOCUMENT

    def test_every_link_leads_somewhere(self, client: httpx.Client, engine: Engine) -> None:
        lease = deployment.running(engine)
        deployment.record(engine, lease, *deployment.MIXED)
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        links = client.get(f"/v1/jobs/{lease.job_id}").json()["links"]
        for link in links.values():
            assert client.get(link).status_code == 200, link

    @pytest.mark.parametrize(
        "job_id", ["nonsense", "%00", "a" * 500, "0199f3a2-5b7e-7c41-9d0a-3f1f6f0f8a11", "%C3%A9"]
    )
    def test_there_is_no_job_by_any_other_id(self, client: httpx.Client, job_id: str) -> None:
        for rest in ("", "/trials", "/front", "/best", "/events", "/report"):
            problem_of(client.get(f"/v1/jobs/{job_id}{rest}"), status=404, code="job-not-found")


class TestList:
    def test_pages_hold_every_job_once_newest_first(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        queued = [deployment.enqueue(engine, seed=seed).id for seed in range(5)]
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = client.get("/v1/jobs", params={"limit": 2, **cursor}).json()
            seen += ids(page)
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert seen == queued[::-1]

    def test_jobs_are_found_by_state_and_label(self, client: httpx.Client, engine: Engine) -> None:
        lease = deployment.running(engine)
        mine = deployment.enqueue(engine, seed=1, labels={"team": "vision"})
        deployment.enqueue(engine, seed=2, labels={"team": "audio"})
        assert ids(client.get("/v1/jobs?state=running").json()) == [lease.job_id]
        assert ids(client.get("/v1/jobs?label=team:vision").json()) == [mine.id]
        assert ids(client.get("/v1/jobs?state=running&label=team:vision").json()) == []

    @pytest.mark.parametrize(
        "query, field",
        [
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("limit=x", "limit"),
            ("state=done", "state"),
            ("label=team", "label"),
            ("label=:vision", "label"),
            ("label=a:b%00", "label"),
            (f"cursor={'c' * 501}", "cursor"),
        ],
    )
    def test_a_question_that_cannot_be_answered_is_refused(
        self, client: httpx.Client, *, query: str, field: str
    ) -> None:
        found = problem_of(client.get(f"/v1/jobs?{query}"), status=422, code="validation-failed")
        assert [error["field"] for error in found["errors"]] == [field]

    @pytest.mark.parametrize("cursor", ["nonsense", "%00", "W10", "WzEsMl0"])
    def test_a_cursor_comes_from_a_page(self, client: httpx.Client, cursor: str) -> None:
        problem_of(client.get(f"/v1/jobs?cursor={cursor}"), status=400, code="bad-cursor")


class TestCancel:
    def test_a_queued_job_is_cancelled_at_once(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        answer = client.post(f"/v1/jobs/{job.id}/cancel")
        assert answer.status_code == 202
        assert answer.json()["state"] == "cancelled"
        again = client.post(f"/v1/jobs/{job.id}/cancel")
        found = problem_of(again, status=409, code="job-already-final")
        assert found["state"] == "cancelled"

    def test_a_running_job_is_asked_to_end(self, client: httpx.Client, engine: Engine) -> None:
        lease = deployment.running(engine)
        answer = client.post(f"/v1/jobs/{lease.job_id}/cancel")
        assert answer.json()["state"] == "running"
        assert leases.renew(engine, lease, lease_seconds=60) is True

    def test_there_is_nothing_to_cancel_of_no_job(self, client: httpx.Client) -> None:
        problem_of(client.post("/v1/jobs/nonsense/cancel"), status=404, code="job-not-found")


class TestPriority:
    def test_a_queued_job_goes_before_others(self, client: httpx.Client, engine: Engine) -> None:
        first, second = deployment.enqueue(engine, seed=1), deployment.enqueue(engine, seed=2)
        answer = client.post(f"/v1/jobs/{second.id}/priority", json={"priority": 7})
        assert (answer.status_code, answer.json()["priority"]) == (200, 7)
        assert client.get(f"/v1/jobs/{second.id}").json()["priority"] == 7
        assert [claim(engine).job_id for _ in range(2)] == [second.id, first.id]

    def test_a_job_that_has_ended_waits_for_nothing(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        leases.cancel(engine, lease)
        answer = client.post(f"/v1/jobs/{lease.job_id}/priority", json={"priority": 1})
        problem_of(answer, status=409, code="job-already-final")

    def test_no_job_has_none(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs/nonsense/priority", json={"priority": 1})
        problem_of(answer, status=404, code="job-not-found")

    @pytest.mark.parametrize("body", [{}, {"priority": 1001}, {"priority": "1"}, {"prio": 1}])
    def test_what_is_no_priority_is_refused(
        self, client: httpx.Client, engine: Engine, *, body: dict[str, Any]
    ) -> None:
        job = deployment.enqueue(engine)
        answer = client.post(f"/v1/jobs/{job.id}/priority", json=body)
        problem_of(answer, status=422, code="validation-failed")
