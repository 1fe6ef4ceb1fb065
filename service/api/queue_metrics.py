"""The queue's figures for Prometheus: the same from every process that asks the same database."""

from collections.abc import Iterator

import structlog
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from service.api.snapshot import Snapshot
from service.store import totals
from service.store.errors import StoreError
from service.store.totals import Totals

_log = structlog.get_logger(__name__)


class QueueCollector(Collector):
    """Asks the database when it is scraped, and no more than once a second.

    Where the database does not answer, `bitfloor_database_up` is 0 and every other figure is left
    out: an old one would look like a queue that stands still.
    """

    def __init__(self, engine: Engine) -> None:
        self._totals = Snapshot(lambda: _read(engine))

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they stand."""
        found = self._totals.get()
        yield GaugeMetricFamily(
            "bitfloor_database_up",
            "1 if the database answered, with the tables of this version.",
            value=float(found is not None),
        )
        if found is not None:
            yield _jobs(found)
            yield from _gauges(found)
            yield from _counters(found)


def _read(engine: Engine) -> Totals | None:
    try:
        return totals.read(engine)
    except StoreError as error:
        _log.warning("no figures of the queue", why=str(error))
        return None


def _jobs(found: Totals) -> Metric:
    family = GaugeMetricFamily("bitfloor_jobs", "Jobs, by state.", labels=["state"])
    for state, count in found.jobs.items():
        family.add_metric([state.value], count)
    return family


def _gauges(found: Totals) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "bitfloor_jobs_due", "Queued jobs that a worker could claim now.", value=found.due
    )
    yield GaugeMetricFamily(
        "bitfloor_jobs_oldest_due_seconds",
        "How long the queued job that has been due longest has waited; 0 if none is due.",
        value=found.oldest_due_seconds,
    )
    yield GaugeMetricFamily(
        "bitfloor_jobs_lapsed",
        "Running jobs whose worker lost its lease and that no other has claimed yet.",
        value=found.lapsed,
    )


def _counters(found: Totals) -> Iterator[Metric]:
    yield CounterMetricFamily("bitfloor_trials", "Trials recorded, of all jobs.", found.trials)
    yield CounterMetricFamily(
        "bitfloor_images_evaluated", "Images evaluated, of all jobs.", found.images
    )
    yield CounterMetricFamily(
        "bitfloor_job_claims", "Claims of jobs by workers; a job may need several.", found.claims
    )
