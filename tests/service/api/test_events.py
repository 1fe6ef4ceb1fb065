"""A job followed live: what is sent, when it ends, and where a broken connection goes on."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy import text

from service.api import events
from service.store import leases
from service.store import tokens
from service.store.values import Lease
from tests.service.api import deployment
from tests.service.api.deployment import MIXED
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of
from tests.service.api.doors import BOTH
from tests.service.api.doors import bearer
from tests.service.api.doors import locked
from tests.service.api.doors import token

Event = dict[str, Any]

#: seconds of silence after which a read fails; a stream that should have ended is silent for longer
PATIENCE = 15.0


def read(answer: httpx.Response) -> Iterator[Event]:
    """Yield events as a browser would dispatch them; comments come as {"comment"}."""
    event: Event = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event["comment" if line.startswith(":") else name] = value
        elif event:
            yield event
            event = {}


def follow(client: httpx.Client, job_id: str, *, last: str | None = None) -> list[Event]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(read(answer))


@pytest.fixture
def ended(engine: Engine) -> Lease:
    """Return the lease of a job that has ended with trials."""
    lease = deployment.running(engine)
    deployment.record(engine, lease, *MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    return lease


class TestEvents:
    def test_a_finished_job_is_told_whole_and_ends(
        self, client: httpx.Client, ended: Lease
    ) -> None:
        told = follow(client, ended.job_id)
        assert [event["event"] for event in told] == ["trial"] * 6 + ["job", "end"]
        assert [event["id"] for event in told] == ["0", "1", "2", "3", "4", "5", "5", "5"]
        listed = client.get(f"/v1/jobs/{ended.job_id}/trials").json()["items"]
        assert [json.loads(event["data"]) for event in told[:6]] == listed
        assert json.loads(told[6]["data"]) == client.get(f"/v1/jobs/{ended.job_id}").json()
        assert json.loads(told[7]["data"]) == {"state": "succeeded"}

    def test_trials_already_seen_are_not_told_again(
        self, client: httpx.Client, ended: Lease
    ) -> None:
        told = follow(client, ended.job_id, last="3")
        assert [event["event"] for event in told] == ["trial", "trial", "job", "end"]
        assert json.loads(told[0]["data"])["number"] == 4

    @pytest.mark.parametrize("last", ["", "nonsense", "-1", "²", "9" * 400])
    def test_an_id_that_was_never_ours_begins_from_the_start(
        self, client: httpx.Client, ended: Lease, last: str
    ) -> None:
        with client.stream(
            "GET",
            f"/v1/jobs/{ended.job_id}/events",
            headers={b"Last-Event-ID": last.encode()},
        ) as answer:
            assert len(list(read(answer))) == 8

    def test_changes_are_told_as_they_happen(self, client: httpx.Client, engine: Engine) -> None:
        job = deployment.enqueue(engine)
        with client.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
            told = read(answer)
            assert json.loads(next(told)["data"])["state"] == "queued"
            lease = deployment.start(engine)
            deployment.record(engine, lease, MIXED[0])
            seen = [next(told)]
            while seen[-1]["event"] != "trial":
                seen.append(next(told))
            assert json.loads(seen[-1]["data"])["number"] == 0
            leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
            rest = list(told)
        assert [event["event"] for event in rest[-2:]] == ["job", "end"]

    def test_nothing_is_told_twice_while_nothing_changes(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        ending = threading.Timer(0.5, leases.succeed, (engine, lease, deployment.BEST_DOCUMENT))
        with client.stream("GET", f"/v1/jobs/{lease.job_id}/events") as answer:
            told = read(answer)
            seen = [next(told)]
            ending.start()  # ten looks at the database later
            seen += told
        ending.join()
        assert [event["event"] for event in seen] == ["job", "job", "end"]

    def test_more_trials_than_one_read_takes_are_all_told(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        count = events._BATCH + 7
        deployment.record(engine, lease, *(deployment.trial(n, correct=600) for n in range(count)))
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        told = follow(client, lease.job_id)
        numbers = [int(event["id"]) for event in told if event["event"] == "trial"]
        assert numbers == list(range(count))

    def test_many_followers_leave_threads_for_everybody_else(
        self, app: FastAPI, engine: Engine
    ) -> None:
        lease = deployment.running(engine)
        limits = httpx.Limits(max_connections=None)
        with client_of(app) as client:
            many = httpx.Client(base_url=client.base_url, limits=limits, timeout=60)
            # more than the pool has threads
            streams = [many.stream("GET", f"/v1/jobs/{lease.job_id}/events") for _ in range(60)]
            answers = [stream.__enter__() for stream in streams]
            assert [next(read(answer))["event"] for answer in answers] == ["job"] * 60
            assert client.get("/v1/jobs", timeout=60).status_code == 200
            leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
            for stream in streams:
                stream.__exit__(None, None, None)
            many.close()

    def test_no_job_has_no_events(self, client: httpx.Client) -> None:
        problem_of(client.get("/v1/jobs/nothing/events"), status=404, code="job-not-found")


class TestCredentials:
    """A stream is no longer-lived than what it was let in with."""

    @pytest.fixture
    def asking(self, engine: Engine) -> Iterator[httpx.Client]:
        """Return a connection to a service that asks for tokens; nothing comes for long."""
        with locked(engine, poll_seconds=0.2) as client:
            client.timeout = httpx.Timeout(PATIENCE)
            yield client

    @pytest.fixture
    def lease(self, engine: Engine, asking: httpx.Client) -> Lease:
        """Return that of a job of tenant vision that goes on and on."""
        deployment.enqueue(engine, tenant="vision")
        return deployment.start(engine)

    def test_a_revoked_token_ends_it_and_no_other(
        self, engine: Engine, asking: httpx.Client, lease: Lease
    ) -> None:
        leaked, good = (bearer(token(engine)) for _ in range(2))
        with (
            asking.stream("GET", events_of(lease), headers=leaked) as stream,
            asking.stream("GET", events_of(lease), headers=good) as other,
        ):
            told, others = read(stream), read(other)
            assert next(told)["event"] == next(others)["event"] == "job"
            tokens.revoke(engine, leaked["Authorization"].split("_")[1])
            assert list(told) == []
            deployment.record(engine, lease, MIXED[0])
            assert next(others)["event"] == "trial"
        problem_of(asking.get(events_of(lease), headers=leaked), status=401, code="unauthenticated")

    def test_a_token_that_expires_ends_it(
        self, engine: Engine, asking: httpx.Client, lease: Lease
    ) -> None:
        brief = tokens.create(engine, tenant="vision", name="brief", scopes=BOTH, lifetime=60)[1]
        with asking.stream("GET", events_of(lease), headers=bearer(brief)) as stream:
            told = read(stream)
            assert next(told)["event"] == "job"
            with engine.begin() as connection:
                connection.execute(text("UPDATE tokens SET expires_at = expires_at - 120"))
            assert list(told) == []

    def test_signing_out_ends_what_the_browser_follows(
        self, engine: Engine, asking: httpx.Client, lease: Lease
    ) -> None:
        signed_in = asking.post("/login", data={"token": token(engine)})
        cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
        with asking.stream("GET", events_of(lease), headers=cookie) as stream:
            told = read(stream)
            assert next(told)["event"] == "job"
            asking.post("/logout", headers=cookie)
            assert list(told) == []


def events_of(lease: Lease) -> str:
    return f"/v1/jobs/{lease.job_id}/events"
