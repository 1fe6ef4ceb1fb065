"""The deadline: an answer begins in time, or a problem says that it did not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from service.api.deadline import Deadline
from tests.service.api import deployment
from tests.service.api.deployment import problem_of

LIMIT = 1.0  # second: long enough for a busy machine to answer what does not wait


@contextmanager
def limited(app: FastAPI) -> Iterator[httpx.Client]:
    app.add_middleware(Deadline, seconds=LIMIT)
    with deployment.client_of(app) as client:
        yield client


class TestDeadline:
    def test_what_waits_too_long_is_answered_for(self) -> None:
        app, freed, ended = FastAPI(), threading.Event(), threading.Event()

        @app.get("/stuck")
        def stuck() -> str:
            freed.wait(10)
            ended.set()
            return "late"

        with limited(app) as client:
            problem_of(client.get("/stuck"), status=504, code="no-answer-in-time")
            freed.set()
            # what comes later is dropped, and disturbs no other request
            assert ended.wait(5)
            assert client.get("/openapi.json").status_code == 200

    def test_an_answer_that_has_begun_may_take_its_time(self) -> None:
        app = FastAPI()

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            def parts() -> Iterator[str]:
                yield "first "
                threading.Event().wait(1.5 * LIMIT)
                yield "last"

            return StreamingResponse(parts())

        with limited(app) as client:
            assert client.get("/stream").text == "first last"

    def test_what_fails_late_is_no_second_answer(self) -> None:
        app, freed = FastAPI(), threading.Event()

        @app.get("/fails")
        def fails() -> None:
            freed.wait(10)
            raise RuntimeError

        with limited(app) as client:
            problem_of(client.get("/fails"), status=504, code="no-answer-in-time")
            freed.set()
            assert client.get("/openapi.json").status_code == 200
