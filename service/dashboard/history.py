"""The trials of the jobs that people look at, each read from the database once."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial
from sqlalchemy import Engine

from search.allocation import BitAllocation
from search.pareto import pareto_front
from search.trial import TrialResult
from service.dashboard.plots import plots
from service.dashboard.studies import search_space
from service.dashboard.trials import frozen_trial
from service.store import jobs
from service.store import trials
from service.store.values import Job

_KEPT = 16  # jobs whose trials stay in memory
_BATCH = 500  # trials read at a time
_FORGOTTEN = BitAllocation(())


@dataclass(slots=True)
class History:
    """What is known of one job; grows at its end only."""

    space: dict[str, BaseDistribution] = field(default_factory=dict)
    trials: list[FrozenTrial] = field(default_factory=list)
    #: the same trials without their allocations, which the plots can do without
    results: list[TrialResult] = field(default_factory=list)
    front: tuple[TrialResult, ...] = ()
    #: what the plots were drawn from: they are drawn again when it changes
    drawn: tuple[object, ...] = ()
    plots: Mapping[str, str] = field(default_factory=dict)
    #: nothing will be added
    complete: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Histories:
    """The histories of the jobs asked for last; shared between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, History] = OrderedDict()

    def trials(self, job_id: str) -> list[FrozenTrial]:
        """Return the job's trials in order; the list is the caller's, the trials are shared."""
        return list(self._current(job_id).trials)

    def front(self, job_id: str) -> list[FrozenTrial]:
        """Return the trials that no other dominates, in order; for the floor, feasible ones."""
        history = self._current(job_id)
        numbers = {result.number for result in history.front}
        return [trial for trial in history.trials if trial.number in numbers]

    def space(self, job_id: str) -> dict[str, BaseDistribution]:
        """Return the distribution of every parameter."""
        return self._current(job_id).space

    def plots(self, job: Job) -> Mapping[str, str]:
        """Return name -> plotly figure as JSON, drawn at most once per trial and state."""
        history = self._current(job.id)
        with history.lock:
            state = (job.state, job.setup is None, len(history.trials), job.progress.trials)
            if history.drawn != state:
                front = sorted(history.front, key=lambda result: result.memory_bits)
                history.plots = plots(job, history.results, front=front)
                history.drawn = state
            return history.plots

    def _current(self, job_id: str) -> History:
        with self._lock:
            history = self._kept.setdefault(job_id, History())
            self._kept.move_to_end(job_id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        with history.lock:
            if not history.complete:
                # the job first: if it is final here, every trial is there to be read
                job = jobs.get(self._engine, job_id)
                self._extend(history, job)
                history.complete = job.state.final
        return history

    def _extend(self, history: History, job: Job) -> None:
        if job.setup is None:
            return  # trials that came since the job was read wait for the next look
        if not history.space:
            history.space = search_space(job)
        more = True
        while more:
            last = history.trials[-1].number if history.trials else -1
            stored = trials.after(self._engine, job.id, last, limit=_BATCH)
            history.front = pareto_front(
                (*history.front, *(one.result for one in stored)), goal=job.submission.spec.goal
            )
            history.trials.extend(
                frozen_trial(one, job.setup, job=job, space=history.space) for one in stored
            )
            history.results.extend(replace(one.result, allocation=_FORGOTTEN) for one in stored)
            more = len(stored) == _BATCH
