"""/v1/jobs/{id}/best: the certified allocation as its worker wrote it, for pipelines to fetch."""

import hashlib
import json
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter
from fastapi import Header
from fastapi import Request
from fastapi import Response
from sqlalchemy import Engine

from service.api import openapi
from service.api import shared
from service.api.errors import NoBestYet
from service.api.errors import NothingFeasible
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.shared import Answer
from service.store import jobs
from service.store.errors import JobNotFound
from service.store.values import JobState

router = APIRouter(prefix="/v1/jobs/{job_id}")


@router.get(
    "/best",
    response_class=Response,
    responses={
        200: {
            "description": "The certified allocation",
            "headers": openapi.headers("ETag"),
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        304: {"description": "Still the one you have", "headers": openapi.headers("ETag")},
        **openapi.responses(JobNotFound, NoBestYet, NothingFeasible),
    },
)
async def best(  # rule: async, because what is kept takes no thread
    request: Request,
    engine: Database,
    *,
    job_id: JobId,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the certified best allocation."""
    kept = shared.of(request).bests
    answer = kept.get(job_id)
    if answer is None:
        answer = await to_thread.run_sync(partial(_read, engine, job_id))
        kept.put(job_id, answer, size=len(answer.body))
    # no-cache: keep it, but ask whether it still holds
    headers = {"ETag": answer.tag, "Cache-Control": "no-cache"}
    if if_none_match is not None and _matches(if_none_match, answer.tag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type="application/json", headers=headers)


def _read(engine: Engine, job_id: str) -> Answer:
    """Return what will never change; raise NothingFeasible or NoBestYet."""
    state, result = jobs.result(engine, job_id)
    if state is JobState.INFEASIBLE:
        raise NothingFeasible(job_id, json.loads(result or "{}"))
    if state is not JobState.SUCCEEDED or result is None:
        raise NoBestYet(job_id, state)
    body = result.encode()
    return Answer(body=body, tag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _matches(if_none_match: str, tag: str) -> bool:
    # compared weakly, as RFC 9110 asks of If-None-Match
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in tags or tag in tags
