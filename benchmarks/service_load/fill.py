"""Fills a migrated database fast: rows in bulk into the real tables, as the codec writes them."""

from collections.abc import Iterator
from functools import cache

from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import delete

from benchmarks.service_load import bulk
from benchmarks.service_load import documents
from benchmarks.service_load import ground
from benchmarks.service_load.bulk import Row
from benchmarks.service_load.ground import Sizes
from search.pareto import pareto_front
from search.trial import TrialResult
from service.store import catalog
from service.store import codec
from service.store import models
from service.store.models import JobRow
from service.store.transactions import writing
from service.store.values import JobError
from service.store.values import JobState
from service.store.values import Offer

OFFERS = (
    Offer(kind="model", name="tiny", details={"parameters": 1200}),
    Offer(kind="dataset", name="digits", details={"images": 1000}),
    *(Offer(kind="quantizer", name=name, details={}) for name in documents.QUANTIZERS),
    Offer(kind="sampler", name="bitfloor", details={}),
)
_DURATION = 90.0  # seconds that a job took
_UNSYNCHRONIZED = {"synchronize_session": False}
_SHOWN = (JobState.SUCCEEDED, JobState.INFEASIBLE)


def fill(engine: Engine, sizes: Sizes) -> None:
    """Add the offers and all jobs of these sizes with all that belongs to them."""
    catalog.announce(engine, OFFERS)
    for model, rows in (
        (JobRow, _jobs(sizes)),
        (models.LabelRow, _labels(sizes)),
        (models.TrialRow, _trials(sizes)),
        (models.FrontRow, _fronts(sizes)),
    ):
        table = model.__table__
        assert isinstance(table, Table)
        bulk.insert(engine, table, rows=rows)
    bulk.look_at(engine)


def forget(engine: Engine, sizes: Sizes) -> None:
    """Remove what was submitted since: a listing is to begin with the same jobs in every run."""
    later = JobRow.created_at > ground.created_at(sizes.long)
    with writing(engine) as session:
        session.execute(delete(JobRow).where(later), execution_options=_UNSYNCHRONIZED)


def _jobs(sizes: Sizes) -> Iterator[Row]:
    for index in range(sizes.jobs + 1):
        yield _job(index, sizes)


def _job(index: int, sizes: Sizes) -> Row:
    points, count = _shape(index, sizes)
    state, created = _state(index, sizes), ground.created_at(index)
    submission = documents.submission(index, labels=ground.labels(index), budget=max(count, 1))
    best = _best(count, points) if count else None
    result = {JobState.INFEASIBLE: _infeasible()}.get(state)
    error = JobError(code="worker-lost", message="its worker was lost three times")
    live = state is JobState.QUEUED
    return {
        "id": ground.job_id(index),
        "state": state.value,
        "stage": "",
        "submission": codec.dumps(codec.submission_document(submission)),
        "idempotency_digest": None,
        "priority": 0,
        "attempt": 0 if live else 1,
        "failures": 0,
        "cancel_requested": state is JobState.CANCELLED,
        "claimable_at": created if live else None,
        "created_at": created,
        "started_at": None if live else created + 1,
        "finished_at": None if live else created + _DURATION,
        "error": codec.dumps(codec.error_document(error)) if state is JobState.FAILED else None,
        "error_attempt": 1 if state is JobState.FAILED else None,
        "setup": _setup(points) if count else None,
        "histograms": _histograms(points) if count else None,
        "result": _result(count, points) if state is JobState.SUCCEEDED else result,
        "trials": count,
        "images_evaluated": count * documents.BASELINE.images,
        "best_number": best.number if best and state is not JobState.INFEASIBLE else None,
        "tenant": _tenant(index, sizes),
    }


def _state(index: int, sizes: Sizes) -> JobState:
    return JobState.SUCCEEDED if index == sizes.long else ground.state(index)


def _tenant(index: int, sizes: Sizes) -> str:
    return ground.TENANT if index == sizes.long else ground.tenant(index)


def _shape(index: int, sizes: Sizes) -> tuple[int, int]:
    """Return how many points and trials the job has."""
    if index == sizes.long:
        return sizes.long_points, sizes.long_trials
    if ground.searched(index):
        return sizes.points, sizes.trials
    return sizes.points, int(ground.state(index) in _SHOWN)


def _labels(sizes: Sizes) -> Iterator[Row]:
    for index in range(sizes.jobs + 1):
        for key, value in ground.labels(index).items():
            yield {
                "job_id": ground.job_id(index),
                "digest": codec.digest(key, value),
                "created_at": ground.created_at(index),
                "tenant": _tenant(index, sizes),
                "state": _state(index, sizes).value,
            }


def _trials(sizes: Sizes) -> Iterator[Row]:
    for index in range(sizes.jobs + 1):
        points, count = _shape(index, sizes)
        own = {"job_id": ground.job_id(index), "finished_at": ground.created_at(index) + 60}
        for number in range(count):
            yield _trial(_number(number, count), points) | own


def _fronts(sizes: Sizes) -> Iterator[Row]:
    for index in range(sizes.jobs + 1):
        points, count = _shape(index, sizes)
        for number, memory_bits, correct in _front(count, points) if count else ():
            yield {
                "job_id": ground.job_id(index),
                "number": number,
                "memory_bits": memory_bits,
                "correct": correct,
            }


def _number(number: int, count: int) -> int:
    # a job's only trial is one that held
    return 2 if count == 1 else number


@cache
def _results(count: int, points: int) -> tuple[TrialResult, ...]:
    return tuple(documents.trial(_number(n, count), points=points) for n in range(count))


@cache
def _best(count: int, points: int) -> TrialResult:
    held = [one for one in _results(count, points) if one.feasible]
    return min(held, key=lambda one: (one.memory_bits, one.number))


@cache
def _front(count: int, points: int) -> tuple[tuple[int, int, int], ...]:
    found = pareto_front(_results(count, points))
    return tuple((one.number, one.memory_bits, one.hits.correct) for one in found)


@cache
def _trial(number: int, points: int) -> Row:
    told = codec.trial_document(documents.trial(number, points=points))
    told |= {"allocation": codec.dumps(told["allocation"]), "verdict": told["verdict"].value}
    return {**told, "seconds": 0.25}


@cache
def _setup(points: int) -> str:
    return codec.dumps(codec.setup_document(documents.setup(points)))


@cache
def _histograms(points: int) -> str:
    return codec.dumps(documents.setup(points).histograms)


@cache
def _result(count: int, points: int) -> str:
    return codec.dumps(documents.best(_best(count, points), points=points))


@cache
def _infeasible() -> str:
    return codec.dumps(documents.infeasible())
