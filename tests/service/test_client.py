"""The REST client: what it asks for, and what it makes of every kind of answer."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from service.client import BitfloorClient
from service.client import NotBitfloor
from service.client import Problem
from service.client import Unreachable
from service.client import WaitTimeout
from service.store.values import JobState
from tests.service.api.deployment import BEST_DOCUMENT

Handler = Callable[[httpx.Request], httpx.Response]


def job(state: str = "running", **more: Any) -> dict[str, Any]:
    """Return a job as the API writes it."""
    return {
        "id": "7",
        "state": state,
        "stage": "searching",
        "spec": {"model": "tiny"},
        "labels": {},
        "priority": 0,
        "attempt": 1,
        "created_at": "2026-01-02T03:04:05Z",
        "started_at": None,
        "finished_at": None,
        "progress": {"trials": 1, "budget": 4, "images_evaluated": 9, "best": None},
        "error": None,
        "infeasible": None,
        "links": {"self": "/v1/jobs/7"},
        **more,
    }


def client(answer: Handler) -> BitfloorClient:
    """Return a client whose server is the function."""
    return BitfloorClient("http://server", transport=httpx.MockTransport(answer))


def answering(*answers: httpx.Response) -> tuple[BitfloorClient, list[httpx.Request]]:
    """Return a client that gets these answers in turn, and the list its requests appear in."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[len(asked) - 1]

    return client(answer), asked


class TestSubmit:
    def test_the_spec_is_the_body_and_the_key_a_header(self) -> None:
        bitfloor, asked = answering(httpx.Response(202, json=job("queued")))
        assert bitfloor.submit({"model": "tiny"}, idempotency_key="k").state is JobState.QUEUED
        assert json.loads(asked[0].content) == {"model": "tiny"}
        assert asked[0].headers["idempotency-key"] == "k"
        assert asked[0].url.path == "/v1/jobs"


class TestJobs:
    def test_pages_are_followed_to_the_end(self) -> None:
        bitfloor, asked = answering(
            httpx.Response(200, json={"items": [job()], "next": "c1"}),
            httpx.Response(200, json={"items": [job()], "next": None}),
        )
        assert len(list(bitfloor.jobs(state="running"))) == 2
        assert asked[1].url.params["cursor"] == "c1"
        assert asked[1].url.params["state"] == "running"

    def test_no_page_is_fetched_before_it_is_needed(self) -> None:
        bitfloor, asked = answering(httpx.Response(200, json={"items": [job()], "next": "c1"}))
        next(bitfloor.jobs())
        assert len(asked) == 1


class TestJob:
    def test_fields_of_a_newer_server_are_kept(self) -> None:
        bitfloor, _ = answering(httpx.Response(200, json=job(mood="fine")))
        assert bitfloor.job("7").model_dump(mode="json")["mood"] == "fine"

    def test_an_id_stays_one_part_of_the_path(self) -> None:
        bitfloor, asked = answering(httpx.Response(200, json=job()))
        bitfloor.job("a/b?c#d")
        assert asked[0].url.raw_path == b"/v1/jobs/a%2Fb%3Fc%23d"


class TestToken:
    def test_it_is_sent_with_every_request(self) -> None:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200, json=job())

        transport = httpx.MockTransport(answer)
        BitfloorClient("http://s", token="t0", transport=transport).job("7")  # noqa: S106 - made up for the test
        client(answer).job("7")
        assert asked[0].headers["authorization"] == "Bearer t0"
        assert "authorization" not in asked[1].headers


class TestBest:
    def test_the_bytes_are_not_touched(self) -> None:
        raw = json.dumps(BEST_DOCUMENT, indent=3).encode() + b"\n"
        bitfloor, asked = answering(httpx.Response(200, content=raw, headers={"etag": '"x"'}))
        best = bitfloor.best("7")
        assert (best.raw, best.etag, best.certified) == (raw, '"x"', True)
        assert best.points[0].bit_width == 4
        assert "if-none-match" not in asked[0].headers

    def test_of_the_one_that_one_has_there_is_no_news(self) -> None:
        bitfloor, asked = answering(httpx.Response(304, headers={"etag": '"x"'}))
        assert bitfloor.best("7", etag='"x"') is None
        assert asked[0].headers["if-none-match"] == '"x"'

    def test_nothing_to_tell_without_having_been_asked_for_news_is_no_answer_of_ours(self) -> None:
        bitfloor, _ = answering(httpx.Response(304))
        with pytest.raises(NotBitfloor):
            bitfloor.best("7")


class TestErrors:
    def test_a_problem_carries_its_code_status_and_sentence(self) -> None:
        document = {"type": "urn:bitfloor:problem:no-best-yet", "detail": "not yet", "state": "x"}
        headers = {"content-type": "application/problem+json"}
        bitfloor, _ = answering(httpx.Response(404, json=document, headers=headers))
        with pytest.raises(Problem, match="not yet") as raised:
            bitfloor.best("7")
        assert (raised.value.status, raised.value.code) == (404, "no-best-yet")
        assert raised.value.document["state"] == "x"

    def test_every_field_of_a_refused_request_is_named_once(self) -> None:
        errors = [
            {"field": "tolerance", "message": "tolerance: 2 is not in [0, 1)"},
            {"field": "budget", "message": "must be above 0"},
        ]
        headers = {"content-type": "application/problem+json; charset=utf-8"}
        bitfloor, _ = answering(httpx.Response(422, json={"errors": errors}, headers=headers))
        told = "^tolerance: 2 is not in .0, 1.; budget: must be above 0$"
        with pytest.raises(Problem, match=told):
            bitfloor.submit({})

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(502, text="<h1>Bad Gateway</h1>"),
            httpx.Response(200, text="<h1>Welcome to nginx</h1>"),
            httpx.Response(200, json={"hello": "world"}),
            httpx.Response(301, headers={"location": "https://elsewhere"}),
        ],
        ids=["gateway", "html", "other json", "redirect"],
    )
    def test_an_answer_in_no_form_of_ours_is_told_apart(self, answer: httpx.Response) -> None:
        bitfloor, _ = answering(answer)
        with pytest.raises(NotBitfloor, match="not as bitfloor does"):
            bitfloor.job("7")

    @pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout])
    def test_no_answer_names_the_server_and_the_remedy(
        self, failure: type[httpx.TransportError]
    ) -> None:
        def fail(_: httpx.Request) -> httpx.Response:
            raise failure("refused")

        with pytest.raises(Unreachable, match=r"http://server .*bitfloor up"):
            client(fail).job("7")

    def test_a_server_that_does_not_answer_is_not_ready(self) -> None:
        bitfloor, _ = answering(httpx.Response(503))
        assert not bitfloor.ready()


class TestFollow:
    def follow(self, *answers: httpx.Response, patience: float = 1.0) -> tuple[list[str], float]:
        """Return the states seen, and how long it slept; 599 stands for no answer."""
        slept: list[float] = []
        turn = iter(answers)

        def answer(_: httpx.Request) -> httpx.Response:
            response = next(turn)
            if response.status_code == 599:
                raise httpx.ConnectError("away")
            return response

        seen = client(answer).follow("7", patience=patience, sleep=slept.append)
        return [state.state.value for state in seen], sum(slept)

    def test_it_ends_with_the_final_state(self) -> None:
        states = ("queued", "running", "running", "succeeded")
        seen, _ = self.follow(*(httpx.Response(200, json=job(state)) for state in states))
        assert seen == list(states)

    def test_a_server_that_comes_back_is_waited_for(self) -> None:
        away = httpx.Response(599)
        seen, slept = self.follow(
            httpx.Response(200, json=job()), away, away, httpx.Response(200, json=job("failed"))
        )
        assert seen == ["running", "failed"]
        assert slept > 0

    def test_patience_ends(self) -> None:
        with pytest.raises(Unreachable):
            self.follow(*[httpx.Response(599)] * 9, patience=2.0)


class TestTimeout:
    @pytest.mark.parametrize("answer", [200, 599])
    def test_it_ends_the_following_even_of_a_server_that_is_away(self, answer: int) -> None:
        now = [0.0]

        def sleep(seconds: float) -> None:
            now[0] += seconds

        def reply(_: httpx.Request) -> httpx.Response:
            if answer != 200:
                raise httpx.ConnectError("away")
            return httpx.Response(200, json=job())

        states = client(reply).follow("7", timeout=1.2, sleep=sleep, clock=lambda: now[0])
        with pytest.raises(WaitTimeout, match=r"job 7 has not ended within 1\.2 s"):
            list(states)
        assert now[0] == pytest.approx(1.2)

    def test_of_0_it_looks_once(self) -> None:
        bitfloor, asked = answering(httpx.Response(200, json=job()))
        with pytest.raises(WaitTimeout):
            list(bitfloor.follow("7", timeout=0))
        assert len(asked) == 1


class TestProxies:
    @pytest.mark.parametrize(
        "server", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]
    )
    def test_none_is_asked_for_this_machine(
        self, monkeypatch: pytest.MonkeyPatch, server: str
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
        monkeypatch.setenv("NO_PROXY", "")
        with (
            pytest.raises(Unreachable, match=r"refused|Cannot assign"),
            BitfloorClient(server) as c,
        ):
            c.job("7")
