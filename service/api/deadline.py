"""Answers for a request that finds no answer in time, whatever it waits for."""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp
from starlette.types import Message
from starlette.types import Receive
from starlette.types import Scope
from starlette.types import Send

from service.api import problems
from service.api.errors import NoAnswerInTime


class Deadline:
    """ASGI middleware. Only the beginning counts: an event stream may go on for days."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        #: asyncio itself keeps no task alive
        self._late: set[asyncio.Future[None]] = set()

    def __call__(  # rule: positional, because ASGI passes them so
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Pass the request on; after the time without an answer, give one."""
        return self._answer(scope, receive, send=send)

    async def _answer(  # rule: async, because it awaits what it passes the request on to
        self, scope: Scope, receive: Receive, *, send: Send
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = given_up = False

        async def forward(message: Message) -> None:  # rule: async, because ASGI awaits it
            nonlocal begun
            begun = True
            if not given_up:
                await send(message)

        answering = asyncio.ensure_future(_awaited(self._app(scope, receive, forward)))
        try:
            await asyncio.wait({answering}, timeout=self._seconds)
        except asyncio.CancelledError:
            answering.cancel()
            raise
        if answering.done() or begun:
            await answering
            return
        given_up = True
        # a thread cannot be stopped; what it still finds out is dropped
        self._late.add(answering)
        answering.add_done_callback(self._forget)
        await problems.of(NoAnswerInTime(self._seconds))(scope, receive, send)

    def _forget(self, answering: asyncio.Future[None]) -> None:
        self._late.discard(answering)
        if not answering.cancelled():
            answering.exception()  # else asyncio complains that nobody looked


async def _awaited(  # rule: async, because a task is made of a coroutine and of nothing else
    answer: Awaitable[None],
) -> None:
    await answer
