"""/v1/jobs/{id}/events: a job followed live, picked up again where the connection broke."""

import json
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from typing import TypeVar

import anyio
from anyio import CapacityLimiter
from anyio import to_thread
from fastapi import APIRouter
from fastapi import Header
from fastapi import Request
from sqlalchemy import Engine
from sse_starlette import EventSourceResponse
from sse_starlette import ServerSentEvent

from service.api import present
from service.api import schemas
from service.api import shared
from service.api.openapi import responses
from service.api.parameters import Database
from service.api.parameters import JobId
from service.store import jobs
from service.store import trials
from service.store.errors import JobNotFound
from service.store.values import Setup
from service.store.values import StoredTrial

router = APIRouter(prefix="/v1/jobs/{job_id}")

HEARTBEAT = 15  # seconds of silence after which a comment keeps proxies from hanging up
_BATCH = 200  # trials read at a time
_MOST_TRIALS = 2**31  # whatever is above it never was an id of ours

Result = TypeVar("Result")
LastEventId = Annotated[
    str | None, Header(description="The last `id` seen: trials up to it are not sent again.")
]


@dataclass(frozen=True, slots=True)
class Follower:
    """What one client follows, and how."""

    engine: Engine
    job_id: str
    #: seconds between two looks at the database
    interval: float
    #: all followers together take this many threads of the pool, and only while they read
    limiter: CapacityLimiter
    #: whether the token or the session that it began with still is good
    welcome: Callable[[], bool]


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "`job` on every change, `trial` for each trial, `end` at the end",
            "content": {"text/event-stream": {}},
        },
        **responses(JobNotFound),
    },
)
def events(
    engine: Database, job_id: JobId, request: Request, *, last_event_id: LastEventId = None
) -> EventSourceResponse:
    """Follow a job as server-sent events; ids are trial numbers.

    They end with the job, or soon after the token is revoked or expires.
    """
    jobs.outline(engine, job_id)  # a problem now, rather than a stream that breaks
    follower = Follower(
        engine=engine,
        job_id=job_id,
        interval=request.app.state.options.poll_seconds,
        limiter=shared.of(request).followers,
        welcome=partial(request.app.state.credentials.good, request.scope),
    )
    stream = follow(follower, _resume_at(last_event_id))
    return EventSourceResponse(stream, ping=HEARTBEAT, send_timeout=HEARTBEAT * 2, sep="\n")


async def follow(  # rule: async, because a thread per waiting client would not do
    follower: Follower, seen: int
) -> AsyncIterator[ServerSentEvent]:
    """Yield trials above `seen` and changes of the job until it has ended.

    Whoever is no longer welcome is told nothing more; asking again is answered with the reason.
    """
    shown = ""
    while await _read(follower, follower.welcome):
        # the job first: once it is final, every trial is there to be read
        job = await _read(follower, partial(jobs.outline, follower.engine, follower.job_id))
        fresh = await _read(follower, partial(_after, follower, seen))
        # trials that came since the job was read, with its setup, wait for the next look
        for told in _told(fresh, job.setup):
            seen = told.number
            yield _event("trial", told.model_dump_json(), seen=seen)
        if len(fresh) == _BATCH:
            continue
        now = present.job(job).model_dump_json()
        if now != shown:
            shown = now
            yield _event("job", now, seen=seen)
        if job.state.final:
            yield _event("end", json.dumps({"state": job.state.value}), seen=seen)
            return
        await anyio.sleep(follower.interval)


def _after(follower: Follower, number: int) -> tuple[StoredTrial, ...]:
    return trials.after(follower.engine, follower.job_id, number, limit=_BATCH)


async def _read(  # rule: async, because the event loop must not wait for the database
    follower: Follower, read: Callable[[], Result]
) -> Result:
    return await to_thread.run_sync(read, limiter=follower.limiter)


def _told(fresh: Iterable[StoredTrial], setup: Setup | None) -> list[schemas.Trial]:
    return [present.trial(stored, setup) for stored in fresh] if setup else []


def _event(name: str, data: str, *, seen: int) -> ServerSentEvent:
    # before the first trial there is nothing to resume after, so no id
    return ServerSentEvent(data, event=name, id=str(seen) if seen >= 0 else None, sep="\n")


def _resume_at(last_event_id: str | None) -> int:
    # anything but an id of ours begins from the start, as for a client that never connected
    text = last_event_id or ""
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_MOST_TRIALS)):
        return -1
    return int(text)
