"""from_job: what a search can start from, how each refusal reads, and how the start is shown."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from search.spec import JobSpec
from search.trial import EARLIER
from service.report.page import render
from service.store import jobs
from service.store import leases
from service.store import starts
from service.store import trials
from service.store.starts import Start
from service.store.values import Job
from service.store.values import Submission
from service.store.values import Taken
from tests.service.api import deployment
from tests.service.api.deployment import BODY
from tests.service.api.deployment import MIXED
from tests.service.api.deployment import problem_of
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

GROUND = {"model": "a" * 64}
TAKEN = tuple(replace(one, origin=EARLIER) for one in MIXED)
START = Start(sensitivity=None, trials=TAKEN, taken=Taken(trials=6, sensitivities=24))


def ended(engine: Engine, **said: Any) -> Job:
    """Return a job that was cancelled in the middle of its search."""
    job = deployment.enqueue(engine, **said)
    lease = deployment.start(engine)
    starts.stand_on(engine, lease, GROUND)
    deployment.record(engine, lease, *MIXED)
    leases.cancel(engine, lease)
    return job


def started(engine: Engine) -> Job:
    """Return a job that has taken over what an earlier one found."""
    earlier = ended(engine)
    spec = JobSpec(model="tiny", dataset="digits", tolerance=0.01, budget=60)
    job = jobs.enqueue(engine, Submission(spec=spec, from_job=earlier.id))[0]
    lease = deployment.start(engine)
    starts.keep(engine, lease, START)
    return jobs.get(engine, job.id)


def submit(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/v1/jobs", json=BODY | changes)


class TestSubmit:
    def test_a_job_that_ended_can_be_started_from(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        earlier = ended(engine)
        answer = submit(client, tolerance=0.01, bit_widths=[4, 8], from_job=earlier.id)
        assert answer.status_code == 202, answer.text
        job = answer.json()
        assert (job["from_job"], job["taken"]) == (earlier.id, None)
        assert jobs.get(engine, job["id"]).submission.from_job == earlier.id

    @pytest.mark.parametrize("state", ["queued", "running"])
    def test_one_that_has_not_is_to_be_waited_for(
        self, client: httpx.Client, engine: Engine, state: str
    ) -> None:
        earlier = deployment.enqueue(engine)
        if state == "running":
            deployment.start(engine)
        problem = problem_of(
            submit(client, from_job=earlier.id), status=422, code="cannot-start-from"
        )
        assert f"it is {state}; wait until it has ended" in problem["detail"]
        assert [one["field"] for one in problem["errors"]] == ["from_job"]

    def test_one_that_never_began_has_nothing_to_give(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        earlier = deployment.enqueue(engine)
        jobs.request_cancel(engine, earlier.id)
        problem = problem_of(
            submit(client, from_job=earlier.id), status=422, code="cannot-start-from"
        )
        assert "it ended before its search began" in problem["detail"]

    @pytest.mark.parametrize(
        "changes, told",
        [
            ({"seed": 3}, "its seed is 0 and not 3"),
            ({"metric": "top5"}, "its metric is top1 and not top5"),
            ({"weights": "x.pt"}, "its weights is left out and not x.pt"),
            ({"splits": {"search": 9}}, "its splits is left out and not"),
            ({"preprocessing": {"resize": 9}}, "its preprocessing is left out and not"),
        ],
        ids=str,
    )
    def test_other_images_or_another_model_are_refused_by_name(
        self, client: httpx.Client, engine: Engine, changes: dict[str, Any], told: str
    ) -> None:
        answer = submit(client, from_job=ended(engine).id, **changes)
        problem = problem_of(answer, status=422, code="cannot-start-from")
        assert told in problem["detail"]

    @pytest.mark.parametrize("name", ["x", "0" * 200, "00000000-0000-7000-8000-000000000000"])
    def test_what_is_no_job_is_told(self, client: httpx.Client, name: str) -> None:
        problem = problem_of(submit(client, from_job=name), status=422, code="cannot-start-from")
        assert "there is no such job; name one of yours" in problem["detail"]

    def test_another_tenants_job_is_none(self, engine: Engine) -> None:
        deployment.announce(engine)
        earlier = ended(engine, tenant="audio")
        nobody = earlier.id[:-1] + ("0" if earlier.id[-1] != "0" else "1")
        with locked(engine) as client:
            told = []
            for job_id in (earlier.id, nobody):
                answer = client.post(
                    "/v1/jobs",
                    json=BODY | {"from_job": job_id},
                    headers=bearer(token(engine, "vision")),
                )
                problem = problem_of(answer, status=422, code="cannot-start-from")
                told.append(answer.text.replace(job_id, problem["title"]))
            assert told[0] == told[1]
            own = client.post(
                "/v1/jobs",
                json=BODY | {"from_job": earlier.id},
                headers=bearer(token(engine, "audio")),
            )
            assert own.status_code == 202

    def test_the_same_key_is_the_same_job(self, client: httpx.Client, engine: Engine) -> None:
        body = BODY | {"from_job": ended(engine).id}
        first, again, other = (
            client.post("/v1/jobs", json=asked, headers={"Idempotency-Key": "k"})
            for asked in (body, body, BODY)
        )
        assert (first.status_code, again.status_code) == (202, 200)
        assert first.json() == again.json()
        problem_of(other, status=409, code="idempotency-conflict")


class TestShown:
    def test_the_job_tells_what_it_took_over(self, client: httpx.Client, engine: Engine) -> None:
        job = started(engine)
        told = client.get(f"/v1/jobs/{job.id}").json()
        assert told["from_job"] == job.submission.from_job
        assert told["taken"] == {"trials": 6, "sensitivities": 24}
        assert told["progress"]["trials"] == 0
        assert told["progress"]["best"]["trial"] == 5

    def test_trials_tell_where_they_are_from(self, client: httpx.Client, engine: Engine) -> None:
        job = started(engine)
        shown = client.get(f"/v1/jobs/{job.id}/trials").json()["items"]
        assert [one["origin"] for one in shown] == [EARLIER] * 6

    def test_the_report_says_it_in_words(self, engine: Engine) -> None:
        job = started(engine)
        page = render(job, trials.page(engine, job.id).items, trials.front(engine, job.id))
        assert f"The search started from job {job.submission.from_job}: 6 of its trials" in page
        assert "all trials are those of an earlier job" in page
        assert "24 options were not measured again" in page
