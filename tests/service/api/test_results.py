"""Trials, front, best and report: what clients fetch of a search."""

import httpx
import pytest
from sqlalchemy import Engine

from search.spec import DEFAULT_QUANTIZERS
from service.api.submission import DEFAULT_SAMPLER
from service.store import leases
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import problem_of


@pytest.fixture
def lease(engine: Engine) -> Lease:
    """Return the lease on a running job with trials of every kind."""
    lease = deployment.running(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    return lease


class TestTrials:
    def test_pages_hold_every_trial_in_order(self, client: httpx.Client, lease: Lease) -> None:
        first = client.get(f"/v1/jobs/{lease.job_id}/trials", params={"limit": 4}).json()
        rest = client.get(
            f"/v1/jobs/{lease.job_id}/trials", params={"cursor": first["next"]}
        ).json()
        numbers = [trial["number"] for page in (first, rest) for trial in page["items"]]
        assert numbers == [0, 1, 2, 3, 4, 5]
        assert rest["next"] is None

    def test_a_trial_tells_counts_shares_and_allocation(
        self, client: httpx.Client, lease: Lease
    ) -> None:
        trials = client.get(f"/v1/jobs/{lease.job_id}/trials").json()["items"]
        stopped = trials[3]
        assert (stopped["complete"], stopped["feasible"]) == (False, False)
        assert (stopped["images"], stopped["accuracy"]) == (64, 1.0)
        assert trials[2]["complete"] is True
        assert trials[2]["feasible"] is False
        assert [trial["verdict"] for trial in trials[1:4]] == ["held", "missed", "missed"]
        assert trials[1]["saved"] == pytest.approx(1 - 6 / 32)
        assert trials[1]["average_bits"] == pytest.approx(6)
        assert trials[1]["memory_bytes"] == 6656 * 6 // 8
        assert trials[1]["allocation"]["features.3"] == {"quantizer": "affine", "bit_width": 6}
        assert list(trials[1]["allocation"]) == ["features.0", "features.3", "classifier"]

    def test_one_may_hold_before_all_its_images_are_seen(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        deployment.record(engine, lease, deployment.EARLY)
        early = client.get(f"/v1/jobs/{lease.job_id}/trials").json()["items"][-1]
        assert (early["verdict"], early["feasible"], early["complete"]) == ("held", True, False)
        job = client.get(f"/v1/jobs/{lease.job_id}").json()
        assert job["progress"]["best"]["trial"] == early["number"]
        front = client.get(f"/v1/jobs/{lease.job_id}/front").json()["front"]
        assert [trial["number"] for trial in front] == [5, 1, 0]

    def test_a_queued_job_has_none(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        page = client.get(f"/v1/jobs/{job.id}/trials").json()
        assert page == {"items": [], "next": None}

    def test_a_cursor_comes_from_a_page(self, client: httpx.Client, lease: Lease) -> None:
        answer = client.get(f"/v1/jobs/{lease.job_id}/trials?cursor=nonsense")
        problem_of(answer, status=400, code="bad-cursor")


class TestFront:
    def test_it_holds_feasible_trials_only(self, client: httpx.Client, lease: Lease) -> None:
        front = client.get(f"/v1/jobs/{lease.job_id}/front").json()
        assert [trial["number"] for trial in front["front"]] == [5, 1, 0]
        assert all(trial["feasible"] for trial in front["front"])
        assert front["images"] == 1000
        assert front["floor"] == pytest.approx(0.88)
        assert front["points"][0] == {
            "name": "features.0",
            "elements": 4096,
            "kind": "activation",
        }

    def test_of_a_search_for_the_front_it_holds_what_missed_the_floor_too(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine, goal="front")
        deployment.record(engine, lease, *deployment.MIXED)
        front = client.get(f"/v1/jobs/{lease.job_id}/front").json()
        numbers = [trial["number"] for trial in front["front"]]
        assert numbers == [2, 5, 1, 0]
        assert sorted(numbers) == deployment.WIDER_FRONT
        assert [trial["feasible"] for trial in front["front"]] == [False, True, True, True]
        assert front["goal"] == "front"
        assert front["hypervolume"] == pytest.approx(deployment.WIDER_SHARE)

    def test_a_queued_job_has_an_empty_one(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        front = client.get(f"/v1/jobs/{job.id}/front").json()
        assert front == {
            "float_accuracy": None,
            "floor": None,
            "images": None,
            "objective": "activation_memory",
            "goal": "floor",
            "hypervolume": None,
            "points": [],
            "front": [],
        }


class TestBest:
    def test_there_is_none_while_the_search_runs(self, client: httpx.Client, lease: Lease) -> None:
        answer = client.get(f"/v1/jobs/{lease.job_id}/best")
        assert problem_of(answer, status=404, code="no-best-yet")["state"] == "running"

    def test_there_never_will_be_one_of_a_cancelled_job(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        leases.cancel(engine, lease)
        answer = client.get(f"/v1/jobs/{lease.job_id}/best")
        found = problem_of(answer, status=404, code="no-best-yet")
        assert found["state"] == "cancelled"
        assert "ended without one" in found["detail"]

    def test_it_is_served_as_the_worker_wrote_it(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        answer = client.get(f"/v1/jobs/{lease.job_id}/best")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == deployment.BEST_DOCUMENT
        assert list(answer.json()) == list(deployment.BEST_DOCUMENT)

    @pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
    def test_whoever_has_it_need_not_fetch_it_again(
        self, client: httpx.Client, engine: Engine, *, lease: Lease, form: str
    ) -> None:
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        url = f"/v1/jobs/{lease.job_id}/best"
        tag = client.get(url).headers["etag"]
        again = client.get(url, headers={"If-None-Match": form.format(tag=tag)})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_an_infeasible_job_tells_what_came_closest(
        self, client: httpx.Client, engine: Engine, lease: Lease
    ) -> None:
        leases.end_infeasible(engine, lease, deployment.INFEASIBLE_DOCUMENT)
        answer = client.get(f"/v1/jobs/{lease.job_id}/best")
        found = problem_of(answer, status=404, code="infeasible")
        for member in ("closest", "shortfall", "blame"):
            assert found[member] == deployment.INFEASIBLE_DOCUMENT[member]
        assert "one image" in found["detail"]


class TestReport:
    def test_it_is_one_page_that_may_load_nothing(self, client: httpx.Client, lease: Lease) -> None:
        answer = client.get(f"/v1/jobs/{lease.job_id}/report")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "tiny" in answer.text


class TestOffers:
    def test_what_workers_announced_is_listed_with_details(self, client: httpx.Client) -> None:
        assert client.get("/v1/models").json() == {"items": [{"name": "tiny", "parameters": 1200}]}
        names = [item["name"] for item in client.get("/v1/samplers").json()["items"]]
        assert names == sorted({"random", DEFAULT_SAMPLER})
        assert len(client.get("/v1/datasets").json()["items"]) == 1
        quantizers = client.get("/v1/quantizers").json()["items"]
        assert [item["name"] for item in quantizers] == sorted(DEFAULT_QUANTIZERS)
