"""/v1/jobs/{id}/trials and /front: what the search has found out."""

from fastapi import APIRouter
from fastapi import Response

from service.api import present
from service.api import problems
from service.api import schemas
from service.api.openapi import responses
from service.api.parameters import Cursor
from service.api.parameters import Database
from service.api.parameters import JobId
from service.api.parameters import Limit
from service.store import jobs
from service.store import trials
from service.store.errors import BadCursor
from service.store.errors import JobNotFound

router = APIRouter(prefix="/v1/jobs/{job_id}")


@router.get(
    "/trials",
    response_model=schemas.TrialPage,
    responses=responses(JobNotFound, BadCursor, problems.INVALID),
)
def list_trials(
    engine: Database, job_id: JobId, *, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """List a job's trials, in order."""
    # the trials first: whoever recorded one has stored the setup before
    page = trials.page(engine, job_id, limit=limit, cursor=cursor)
    return present.answer(present.trial_page(page, jobs.outline(engine, job_id).setup))


@router.get("/front", response_model=schemas.Front, responses=responses(JobNotFound))
def front(engine: Database, job_id: JobId) -> Response:
    """Return the Pareto front so far, fewest bits first; for the floor, of feasible trials only."""
    stored = trials.front(engine, job_id)
    return present.answer(present.front(jobs.outline(engine, job_id), stored))
