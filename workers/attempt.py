"""One attempt at one job: every trial is recorded before the next is proposed."""

import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any
from typing import TypeVar

import torch
from sqlalchemy import Engine

from search import study
from search.documents import Evidence
from search.quantization.capture import CapturedNetwork
from search.spec import JobSpec
from search.spec import SearchSpec
from search.trial import TrialResult
from service.store import leases
from service.store import reuse
from service.store import starts
from service.store import trials
from service.store.errors import LeaseLost
from service.store.values import Lease
from service.store.values import Submission
from workers import content
from workers import once
from workers import resolution
from workers import start
from workers import workbench
from workers.conclusion import conclude
from workers.data import Dataset
from workers.datasets.catalog import surroundings
from workers.errors import Cancelled
from workers.evaluators.evaluator import Evaluator
from workers.evaluators.interruptible import interruptible
from workers.models.registry import open_models
from workers.outages import outlast
from workers.settings import WorkerSettings
from workers.shards.agreement import agreed
from workers.shards.shards import Shards
from workers.telemetry import Telemetry
from workers.workbench import Workbench

#: gives a step a time limit: (what, seconds) -> context
Limit = Callable[[str, float], AbstractContextManager[None]]

Found = TypeVar("Found")


@dataclass(frozen=True)
class Attempt:
    """What an attempt needs from the worker around it."""

    engine: Engine
    lease: Lease
    submission: Submission
    settings: WorkerSettings
    device: torch.device
    limit: Limit
    #: called between rounds; raises Cancelled, LeaseLost or Stopping
    check: Callable[[], None]
    telemetry: Telemetry
    #: opens those who evaluate in this process's stead, None if it does so itself
    open_shards: Callable[[], AbstractContextManager[Shards | None]]

    @property
    def job(self) -> JobSpec:
        """What is asked for."""
        return self.submission.spec

    def stored(self, write: Callable[..., Found], *said: Any, **named: Any) -> Found:
        """Call a function of the store with the engine, for as long as the database is away.

        Raises LeaseLost once it is back and somebody else may hold the job.
        """
        return outlast(partial(write, self.engine, *said, **named), check=self.check)

    def end(self, write: Callable[..., None], result: dict[str, Any]) -> None:
        """End the job, unless it has ended already and only the answer to that got lost.

        Raises LeaseLost.
        """
        try:
            self.stored(write, self.lease, result)
        except LeaseLost:
            if not self.stored(once.concluded, self.lease):
                raise


def carry_out(attempt: Attempt) -> None:
    """Search from where the recorded trials end and leave the job succeeded or infeasible.

    If an earlier job did on the same content, the job ends as that one did.
    """
    with attempt.open_shards() as shards:
        _carry_out(attempt, shards)


def _carry_out(attempt: Attempt, shards: Shards | None) -> None:
    asked = attempt.submission
    loaded = _load(attempt)
    ground = _ground(attempt, loaded, shards=shards)
    attempt.stored(starts.stand_on, attempt.lease, ground)
    digest = content.key(asked.spec, ground, from_job=asked.from_job)
    if attempt.stored(reuse.answer, attempt.lease, digest, fresh=asked.fresh):
        return
    source = attempt.stored(start.source, attempt.lease.job_id, asked, ground=ground)
    bench, evaluator, search = _set_up(attempt, loaded, source=source, shards=shards)
    history = attempt.stored(trials.history, attempt.lease.job_id)
    results = list(history)
    attempt.stored(leases.enter, attempt.lease, "searching")
    run = study.run(search, interruptible(evaluator, attempt.check), history=history)
    while (result := _timed_trial(attempt, run)) is not None:
        results.append(result)
    attempt.stored(leases.enter, attempt.lease, "certifying")
    evidence = Evidence(
        job=attempt.job,
        search=search,
        trials=results,
        calibration_images=bench.calibration_images,
    )
    with (
        attempt.telemetry.tracer.span("certification"),
        attempt.limit("certification", attempt.settings.setup_timeout),
    ):
        conclusion = conclude(evidence, bench, check=attempt.check)
    _count(attempt, conclusion.images)
    end = leases.succeed if conclusion.certified else leases.end_infeasible
    told = attempt.stored(start.told, attempt.lease.job_id, asked)
    attempt.end(end, {**conclusion.document, **told})


def _load(attempt: Attempt) -> tuple[CapturedNetwork, Dataset]:
    attempt.stored(leases.enter, attempt.lease, "loading")
    with (
        attempt.telemetry.tracer.span("load"),
        attempt.limit("loading", attempt.settings.setup_timeout),
    ):
        loaded = workbench.opened(
            attempt.job,
            models=open_models(attempt.settings.model_root),
            around=surroundings(attempt.settings, attempt.check),
            device=attempt.device,
        )
    attempt.check()
    return loaded


def _ground(
    attempt: Attempt, loaded: tuple[CapturedNetwork, Dataset], *, shards: Shards | None
) -> dict[str, str]:
    """Return what the job's evaluations depend on, once all who evaluate have the same."""
    network, dataset = loaded
    ground = content.ground(attempt.job, network, dataset=dataset, device=attempt.device)
    if shards is None:
        return ground
    with attempt.limit("comparing the evaluators", attempt.settings.setup_timeout):
        batch = attempt.settings.batch
        return ground | agreed(shards, loaded, digest=ground["model"], batch=batch)


def _set_up(
    attempt: Attempt,
    loaded: tuple[CapturedNetwork, Dataset],
    *,
    source: start.Source,
    shards: Shards | None,
) -> tuple[Workbench, Evaluator, SearchSpec]:
    attempt.stored(leases.enter, attempt.lease, "calibrating")
    with (
        attempt.telemetry.tracer.span("setup"),
        attempt.limit("setting up", attempt.settings.setup_timeout),
    ):
        bench = workbench.calibrated(
            attempt.job,
            loaded,
            around=surroundings(attempt.settings, attempt.check),
            device=attempt.device,
            batch=attempt.settings.batch,
            shards=shards,
        )
        attempt.check()
        evaluator = bench.evaluator(bench.dataset.search)
        known = source.known(bench, attempt.job)
        search = resolution.resolve(attempt.job, bench, evaluator=evaluator, known=known)
    attempt.stored(leases.begin, attempt.lease, workbench.setup(search, bench.calibration))
    sensed = 0
    if not source.kept:
        attempt.stored(once.kept, attempt.lease, source.start(bench, search, known=known))
        sensed = search.sensitivity.images if search.sensitivity else 0
    _count(attempt, bench.calibration_images + sensed + evaluator.images)
    return bench, evaluator, search


def _timed_trial(attempt: Attempt, run: Iterator[TrialResult]) -> TrialResult | None:
    """Evaluate the next trial and record it; None when the search is over."""
    started = time.monotonic()
    with attempt.telemetry.tracer.span("trial") as span:
        with attempt.limit("a trial", attempt.job.trial_timeout):
            result = next(run, None)
        if result is None:
            span.rename("end of search")
            return None
        seconds = time.monotonic() - started
        cancel_requested = attempt.stored(
            once.recorded,
            attempt.lease,
            result,
            seconds=seconds,
            lease_seconds=attempt.settings.lease_seconds,
        )
        attempt.telemetry.trial(span, result, seconds=seconds)
    if cancel_requested:
        raise Cancelled
    attempt.check()
    return result


def _count(attempt: Attempt, images: int) -> None:
    attempt.stored(leases.add_images, attempt.lease, images)
    attempt.telemetry.metrics.images.inc(images)
