"""Keeps slow and malformed connections from holding the service: time and number are bounded.

uvicorn bounds idle connections only. One that sends its head byte by byte, that goes on sending a
body after the answer, or that never reads the answer, would stay for as long as its peer likes.
"""

from asyncio import TimerHandle
from asyncio import Transport
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import ClassVar

import h11
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.api import problems
from service.api.problems import Problem


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient the service is with a connection."""

    #: seconds from the connection, or from the first byte, to the end of a request's head
    head_seconds: float = 10.0
    #: seconds in which the peer must have read something, while an answer waits to be sent
    unread_seconds: float = 30.0
    #: connections at once; of more, the one that has waited longest for a request is closed
    max_connections: int = 512


def protocol(limits: Limits) -> type[H11Protocol]:
    """Return uvicorn's protocol with these limits, for `uvicorn.Config(http=...)`."""
    return type("BoundProtocol", (LimitedProtocol,), {"limits": limits})


class LimitedProtocol(H11Protocol):
    """What the peer owes us, a head, the rest of a body, or reading, is timed; nothing else is."""

    limits: ClassVar[Limits]

    _owed: TimerHandle | None = None
    _unread: TimerHandle | None = None
    #: when it began to wait for a head
    since = 0.0

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self.since = monotonic()
        self._watch()
        if len(self.connections) > self.limits.max_connections:
            self._make_room()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        # a head that is not there yet is uvicorn's to time, as idleness
        if not self.awaits_head:
            self._watch()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_owed()
        self._forget_unread()
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.limits.unread_seconds, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        self._forget_unread()
        super().resume_writing()

    @override
    def send_400_response(self, msg: str) -> None:
        # uvicorn answers in plain text, past our problem documents
        self.refuse(problems.MALFORMED, "what was sent cannot be read as HTTP/1.1")

    @property
    def awaits_head(self) -> bool:
        """Whether the head of a request has yet to come, in part or at all."""
        return self.conn.their_state is h11.IDLE

    @property
    def _awaits_rest(self) -> bool:
        # the body is timed by its reader, and who has answered reads it no more
        return self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE

    def _watch(self) -> None:
        if self.transport.is_closing() or not (self.awaits_head or self._awaits_rest):
            self._forget_owed()
        elif self._owed is None:
            self.since = monotonic()
            self._owed = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._owed = None
        begun, _ = self.conn.trailing_data
        if self.awaits_head and begun:
            seconds = self.limits.head_seconds
            self.refuse(problems.TOO_SLOW, f"its head took more than {seconds:g} seconds")
        else:
            self.transport.close()

    def _make_room(self) -> None:
        waiting = [c for c in self.connections if isinstance(c, LimitedProtocol) and c.awaits_head]
        oldest = min(waiting, key=lambda connection: connection.since)
        most = self.limits.max_connections
        oldest.refuse(problems.TOO_MANY, f"there are {most} connections already, the most allowed")

    def refuse(self, problem: Problem, detail: str) -> None:
        """Answer with the problem, unless an answer has begun, and close."""
        if self.transport.is_closing():
            return
        self._forget_owed()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            answer = problems.response(problem, detail)
            self._write(answer.status_code, dict(answer.headers), body=bytes(answer.body))
        self.transport.close()

    def _write(self, status: int, headers: Mapping[str, str], *, body: bytes) -> None:
        head = {**headers, "connection": "close"}
        events = (
            h11.Response(
                status_code=status,
                headers=[(name.encode(), value.encode()) for name, value in head.items()],
                reason=HTTPStatus(status).phrase.encode(),
            ),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")

    def _forget_owed(self) -> None:
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
