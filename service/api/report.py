"""/v1/jobs/{id}/report: the job on one page that needs no network."""

from collections.abc import AsyncIterator
from collections.abc import Sequence
from functools import partial

from anyio import to_thread
from fastapi import APIRouter
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from search.spec import MAX_BUDGET
from service.api import headers
from service.api import shared
from service.api.openapi import responses
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.shared import Shared
from service.report import page
from service.store import jobs
from service.store import trials
from service.store.errors import JobNotFound

router = APIRouter(prefix="/v1/jobs/{job_id}")

_CHUNK = 256 * 1024  # bytes; what waits to be sent is no more than a few of them


@router.get("/report", response_class=HTMLResponse, responses=responses(JobNotFound))
async def report(  # rule: async, because whoever waits for a turn takes no thread
    engine: Database, job_id: JobId, request: Request
) -> StreamingResponse:
    """Return the report, one self-contained HTML page."""
    ours = shared.of(request)
    pieces = ours.reports.get(job_id)
    if pieces is None:
        render = partial(_render, engine, job_id, ours=ours)
        pieces = await to_thread.run_sync(render, limiter=ours.renderers)
    said = {
        "Content-Length": str(sum(map(len, pieces))),
        "Content-Security-Policy": headers.REPORT,
    }
    return StreamingResponse(_chunks(pieces), media_type="text/html", headers=said)


def _render(engine: Engine, job_id: str, *, ours: Shared) -> Sequence[bytes]:
    job = jobs.get(engine, job_id)
    every = trials.after(engine, job_id, -1, limit=MAX_BUDGET)
    pieces = page.pieces(job, every, trials.front(engine, job_id))
    if job.state.final:
        # read before its trials, so they are all there; the script between is everybody's
        ours.reports.put(job_id, pieces, size=len(pieces[0]) + len(pieces[-1]))
    return pieces


async def _chunks(  # rule: async, because the next one waits until the one before was taken
    pieces: Sequence[bytes],
) -> AsyncIterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _CHUNK):
            yield piece[start : start + _CHUNK]
