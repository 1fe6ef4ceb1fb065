"""Which study is which job, and what each looks like, without reading finished jobs again."""

import threading
import time
from collections.abc import Iterator

from optuna.study._frozen import FrozenStudy
from sqlalchemy import Engine

from service.dashboard.studies import frozen_study
from service.dashboard.study_ids import study_id
from service.store import jobs
from service.store.values import Job
from service.store.values import JobFilter
from service.store.values import JobState

_PAGE = 500  # jobs read at a time
_FRESH_SECONDS = 1.0  # every request of a page load sees the same list, and the database one


class StudyIndex:
    """Every job of the tenant, of all for None, as a study; shared between threads."""

    def __init__(self, engine: Engine, tenant: str | None = None) -> None:
        self._engine = engine
        self._tenant = tenant
        self._lock = threading.Lock()
        self._refreshed_at = float("-inf")
        self._job_ids: dict[int, str] = {}
        self._studies: dict[str, FrozenStudy] = {}
        #: jobs that may still change
        self._live: set[str] = set()

    def studies(self, limit: int) -> list[FrozenStudy]:
        """Return the newest studies, newest first."""
        self._refresh()
        with self._lock:
            newest = sorted(self._studies, reverse=True)[:limit]
            return [self._studies[job_id] for job_id in newest]

    def job_id(self, study: int) -> str:
        """Return the job behind a study; `KeyError` if there is none."""
        with self._lock:
            found = self._job_ids.get(study)
        if found is not None:
            return found
        self._refresh()
        with self._lock:
            return self._job_ids[study]

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._refreshed_at < _FRESH_SECONDS:
                return
            for job in self._unseen():
                self._keep(job)
            self._reread_live()
            self._refreshed_at = time.monotonic()

    def _unseen(self) -> Iterator[Job]:
        # newest first: behind a job that is known, all are known
        wanted = JobFilter(tenant=self._tenant)
        cursor: str | None = None
        while True:
            page = jobs.page(self._engine, wanted, limit=_PAGE, cursor=cursor)
            for job in page.items:
                if job.id in self._studies:
                    return
                yield job
            cursor = page.next_cursor
            if cursor is None:
                return

    def _reread_live(self) -> None:
        stale = set(self._live)
        for state in (JobState.QUEUED, JobState.RUNNING):
            wanted = JobFilter(tenant=self._tenant, state=state)
            cursor: str | None = None
            while True:
                page = jobs.page(self._engine, wanted, limit=_PAGE, cursor=cursor)
                for job in page.items:
                    self._keep(job)
                    stale.discard(job.id)
                cursor = page.next_cursor
                if cursor is None:
                    break
        for job_id in stale:
            self._keep(jobs.get(self._engine, job_id))

    def _keep(self, job: Job) -> None:
        study = study_id(job.id)
        if self._job_ids.get(study, job.id) < job.id:
            return  # two jobs with one number: the older keeps it, the newer has no study
        self._job_ids[study] = job.id
        self._studies[job.id] = frozen_study(job)
        (self._live.discard if job.state.final else self._live.add)(job.id)
