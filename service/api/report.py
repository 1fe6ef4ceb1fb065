"""/v1/jobs/{id}/report: the job on one page that needs no network."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from search.spec import MAX_BUDGET
from service.api import headers
from service.api.openapi import responses
from service.api.parameters import Database
from service.api.parameters import JobId
from service.report import page
from service.store import jobs
from service.store import trials
from service.store.errors import JobNotFound

router = APIRouter(prefix="/v1/jobs/{job_id}")


@router.get("/report", response_class=HTMLResponse, responses=responses(JobNotFound))
def report(engine: Database, job_id: JobId) -> HTMLResponse:
    """Return the report, one self-contained HTML page."""
    job = jobs.get(engine, job_id)
    every = trials.after(engine, job_id, -1, limit=MAX_BUDGET)
    html = page.render(job, every, trials.front(engine, job_id))
    return HTMLResponse(html, headers={"Content-Security-Policy": headers.REPORT})
