"""What is kept between requests stays within its room, and shows nobody what it must not."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from service.api.kept import Kept
from service.store import catalog
from service.store import jobs
from service.store import leases
from service.store import tokens
from service.store.values import Offer
from tests.service.api import deployment
from tests.service.api.deployment import BODY
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

PARTS = ("", "/best", "/report")


class TestKept:
    def test_what_was_unused_for_longest_goes_first(self) -> None:
        kept: Kept[str, int] = Kept(room=3)
        for number, key in enumerate("abc"):
            kept.put(key, number)
        assert kept.get("a") == 0
        kept.put("d", 3)
        assert [kept.get(key) for key in "abcd"] == [0, None, 2, 3]

    def test_sizes_sum_up_to_the_room_at_most(self) -> None:
        kept: Kept[str, int] = Kept(room=10)
        for number, key in enumerate("abcd"):
            kept.put(key, number, size=4)
        assert [kept.get(key) for key in "abcd"] == [None, None, 2, 3]

    def test_a_value_put_again_counts_once(self) -> None:
        kept: Kept[str, int] = Kept(room=10)
        kept.put("a", 0, size=4)
        for _ in range(5):
            kept.put("b", 1, size=5)
        assert (kept.get("a"), len(kept)) == (0, 2)

    def test_what_would_push_all_others_out_is_not_kept(self) -> None:
        kept: Kept[str, int] = Kept(room=10)
        kept.put("small", 0, size=4)
        kept.put("large", 1, size=6)
        assert (kept.get("small"), kept.get("large")) == (0, None)


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service that asks for tokens."""
    with locked(engine) as client:
        yield client


class TestWhatIsKeptIsStillGuarded:
    @pytest.mark.parametrize("part", PARTS)
    def test_a_job_that_its_tenant_has_just_seen_is_unknown_to_another(
        self, engine: Engine, client: httpx.Client, part: str
    ) -> None:
        url = f"/v1/jobs/{_succeeded(engine, tenant='audio')}{part}"
        own, other = bearer(token(engine, "audio")), bearer(token(engine, "vision"))
        statuses = [client.get(url, headers=shown).status_code for shown in (own, other) * 2]
        assert statuses == [200, 404] * 2

    @pytest.mark.parametrize("part", PARTS)
    def test_a_revoked_token_is_of_no_use_at_once(
        self, engine: Engine, client: httpx.Client, part: str
    ) -> None:
        url = f"/v1/jobs/{_succeeded(engine, tenant='audio')}{part}"
        text = token(engine, "audio")
        assert client.get(url, headers=bearer(text)).status_code == 200
        tokens.revoke(engine, text.split("_")[1])
        assert client.get(url, headers=bearer(text)).status_code == 401

    def test_nobody_without_a_token_gets_it(self, engine: Engine, client: httpx.Client) -> None:
        url = f"/v1/jobs/{_succeeded(engine, tenant='audio')}/best"
        assert client.get(url, headers=bearer(token(engine, "audio"))).status_code == 200
        assert client.get(url).status_code == 401


class TestNothingIsKeptTooSoon:
    def test_a_best_that_was_asked_for_too_early_is_there_later(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        job_id = deployment.enqueue(engine, tenant="vision").id
        lease, shown = deployment.start(engine), bearer(token(engine))
        deployment.record(engine, lease, *deployment.MIXED)
        best, report = f"/v1/jobs/{job_id}/best", f"/v1/jobs/{job_id}/report"
        assert client.get(best, headers=shown).status_code == 404
        while_it_ran = client.get(report, headers=shown).text
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        assert client.get(best, headers=shown).json() == deployment.BEST_DOCUMENT
        assert client.get(report, headers=shown).text != while_it_ran

    def test_a_job_that_is_cancelled_is_told_so_at_once(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        job_id = deployment.enqueue(engine, tenant="vision").id
        shown, urls = bearer(token(engine)), [f"/v1/jobs/{job_id}", "/v1/jobs"]
        before = [client.get(url, headers=shown).text for url in urls]
        report = client.get(f"/v1/jobs/{job_id}/report", headers=shown).text
        jobs.request_cancel(engine, job_id)
        after = [client.get(url, headers=shown).text for url in urls]
        assert all('"queued"' in text for text in before)
        assert all('"cancelled"' in text for text in after)
        assert client.get(f"/v1/jobs/{job_id}/report", headers=shown).text != report

    def test_a_job_that_was_not_there_yet_is_found_once_it_is(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        shown = bearer(token(engine))
        elsewhere = "0190d5a0-0000-7000-8000-000000000000"
        assert client.get(f"/v1/jobs/{elsewhere}", headers=shown).status_code == 404
        made = client.post("/v1/jobs", json=BODY, headers=shown)
        assert client.get(made.headers["Location"], headers=shown).status_code == 200

    def test_a_model_that_a_worker_announces_can_be_asked_for_at_once(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        shown, body = bearer(token(engine)), BODY | {"model": "large"}
        assert client.post("/v1/jobs", json=body, headers=shown).status_code == 422
        catalog.announce(engine, [Offer(kind="model", name="large", details={})])
        assert client.post("/v1/jobs", json=body, headers=shown).status_code == 202


class TestReport:
    def test_one_that_is_kept_is_the_one_that_was_rendered(
        self, engine: Engine, client: httpx.Client
    ) -> None:
        url = f"/v1/jobs/{_succeeded(engine, tenant='audio')}/report"
        shown = bearer(token(engine, "audio"))
        first, second = (client.get(url, headers=shown) for _ in range(2))
        assert first.content == second.content
        assert int(first.headers["Content-Length"]) == len(first.content)
        assert first.headers["Content-Security-Policy"] == second.headers["Content-Security-Policy"]


def _succeeded(engine: Engine, *, tenant: str) -> str:
    """Return the id of a job of the tenant's that has its best."""
    job_id = deployment.enqueue(engine, tenant=tenant).id
    lease = deployment.start(engine)
    deployment.record(engine, lease, *deployment.MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    return job_id
