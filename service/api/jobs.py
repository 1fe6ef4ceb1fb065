"""/v1/jobs: submit a search, look it up, list, cancel, put before or behind others."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from fastapi import Depends
from fastapi import Header
from fastapi import Query
from fastapi import Request
from fastapi import Response

from service.api import earlier
from service.api import present
from service.api import problems
from service.api import schemas
from service.api.errors import CannotStartFrom
from service.api.errors import CrossOrigin
from service.api.errors import NoWorkerYet
from service.api.errors import UnknownName
from service.api.offers import Offered
from service.api.openapi import headers
from service.api.openapi import responses
from service.api.parameters import Caller
from service.api.parameters import Chosen
from service.api.parameters import Cursor
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.parameters import Limit
from service.api.submission import LABEL_KEY
from service.api.submission import LABEL_VALUE
from service.api.submission import JobSubmission
from service.api.submission import PriorityChange
from service.store import jobs
from service.store import priorities
from service.store.errors import BadCursor
from service.store.errors import IdempotencyConflict
from service.store.errors import JobAlreadyFinal
from service.store.errors import JobNotFound
from service.store.errors import QuotaExceeded
from service.store.values import JobFilter
from service.store.values import JobState
from service.store.values import Submission
from service.webhooks import allowlist
from service.webhooks.errors import UrlRefused

router = APIRouter(prefix="/v1/jobs")

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="Yours to choose: the same key with the same body is the same job.",
    ),
]
Label = Annotated[
    str | None,
    Query(
        pattern=f"^{LABEL_KEY}:{LABEL_VALUE}$",
        max_length=400,
        description="Only jobs with this label, as `key:value`.",
        examples=["team:vision"],
    ),
]
State = Annotated[JobState | None, Query(description="Only jobs in this state.")]


async def _wanted(  # rule: async, because FastAPI would send for it through a thread
    *, caller: Caller, state: State = None, label: Label = None
) -> JobFilter:
    key, _, value = (label or "").partition(":")
    return JobFilter(tenant=caller.sees, state=state, label=(key, value) if label else None)


async def _asked(  # rule: async, because FastAPI would send for it through a thread
    body: JobSubmission,
    caller: Caller,
    *,
    options: Chosen,
    idempotency_key: IdempotencyKey = None,
) -> Submission:
    if body.webhook is not None:
        allowlist.require(body.webhook.url, options.webhook_hosts)
    return replace(body.to_value(idempotency_key), tenant=caller.tenant)


Asked = Annotated[Submission, Depends(_asked)]
Wanted = Annotated[JobFilter, Depends(_wanted)]


@router.post(
    "",
    status_code=202,
    response_model=schemas.Job,
    responses={
        200: {
            "model": schemas.Job,
            "description": "The job of an earlier, equal submission",
            "headers": headers("Location"),
        },
        202: {"description": "Accepted and queued", "headers": headers("Location")},
        **responses(
            problems.NOT_JSON,
            problems.TOO_SLOW,
            problems.TOO_LARGE,
            problems.WRONG_MEDIA_TYPE,
            problems.INVALID,
            UnknownName,
            UrlRefused,
            CannotStartFrom,
            IdempotencyConflict,
            QuotaExceeded,
            CrossOrigin,
            NoWorkerYet,
        ),
    },
)
def submit_job(engine: Database, submission: Asked, *, request: Request) -> Response:
    """Queue a search."""
    offered: Offered = request.app.state.offered
    offered.require(submission.spec)
    earlier.require(engine, submission)
    job, created = jobs.enqueue(engine, submission)
    location = {"Location": f"/v1/jobs/{job.id}"}
    return present.answer(present.job(job), status=202 if created else 200, headers=location)


@router.get("", response_model=schemas.JobPage, responses=responses(BadCursor, problems.INVALID))
def list_jobs(
    engine: Database, wanted: Wanted, *, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List jobs, newest first."""
    return present.answer(present.job_page(jobs.page(engine, wanted, limit=limit, cursor=cursor)))


@router.get("/{job_id}", response_model=schemas.Job, responses=responses(JobNotFound))
def show_job(engine: Database, job_id: JobId) -> Response:
    """Return a job as it stands."""
    return present.answer(present.job(jobs.outline(engine, job_id)))


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    responses=responses(JobNotFound, JobAlreadyFinal, CrossOrigin),
)
def cancel_job(engine: Database, job_id: JobId) -> schemas.Job:
    """Cancel a job: a queued one at once, a running one within seconds."""
    return present.job(jobs.request_cancel(engine, job_id))


@router.post(
    "/{job_id}/priority",
    responses=responses(
        problems.NOT_JSON,
        problems.TOO_SLOW,
        problems.TOO_LARGE,
        problems.WRONG_MEDIA_TYPE,
        problems.INVALID,
        JobNotFound,
        JobAlreadyFinal,
        QuotaExceeded,
        CrossOrigin,
    ),
)
def change_priority(engine: Database, job_id: JobId, *, body: PriorityChange) -> schemas.Job:
    """Put a job before or behind others; a running one, for when it returns to the queue."""
    return present.job(priorities.change(engine, job_id, body.priority))
