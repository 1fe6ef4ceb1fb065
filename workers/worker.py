"""Claims one job after another and sees each to its end, or leaves it for the next attempt."""

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import field
from functools import partial

import structlog
import torch
from sqlalchemy import Engine

from search.spec import JobSpec
from service.store import leases
from service.store.errors import LeaseLost
from service.store.errors import StoreError
from service.store.values import Job
from service.store.values import JobError
from service.store.values import Lease
from workers import devices
from workers import memory
from workers import retry
from workers.attempt import Attempt
from workers.attempt import carry_out
from workers.bell import Bell
from workers.cluster import ray_shards
from workers.cluster.connection import Cluster
from workers.departure import Departure
from workers.errors import Cancelled
from workers.errors import Stopping
from workers.heartbeat import Heartbeat
from workers.metrics import End
from workers.settings import WorkerSettings
from workers.shards.errors import ClusterLost
from workers.shards.errors import ShardsLost
from workers.shards.shards import Shards
from workers.telemetry import Telemetry
from workers.watchdog import Watchdog

log = structlog.get_logger()

LONGEST_PAUSE = 5.0  # seconds between tries while the database is away
_MOST_DOUBLINGS = 10
SHORTEST_WAIT = 0.05  # seconds: what is due now somebody else may just be taking
_JITTER = 0.25  # of the seconds between looks: workers that started together do not look together


@dataclass(frozen=True)
class Worker:
    """One process that works on one job at a time."""

    engine: Engine
    settings: WorkerSettings
    device: torch.device
    #: set to end: looked at between rounds and between jobs
    stop: threading.Event
    telemetry: Telemetry = field(default_factory=Telemetry)
    #: rung when there may be work, and when `stop` is set
    bell: Bell = field(default_factory=Bell)
    #: ends the process where a step outlasts `stop`; by itself, never
    departure: Departure | None = None
    #: whose devices evaluate; None: this machine's do
    cluster: Cluster | None = None

    def work_forever(self) -> None:
        """Work until asked to stop; an empty queue or a database that is away is waited out.

        Also ends when the cluster is lost, since a process cannot be connected to a second one.
        """
        outages = 0
        while not (self.stop.is_set() or self.lost):
            try:
                wait = 0.0 if self.work_once() else self.until_next_look()
                outages = 0
            except StoreError as error:
                outages += 1
                log.warning("the database cannot be used", why=str(error))
                doublings = min(outages, _MOST_DOUBLINGS)
                wait = min(self.settings.poll_seconds * 2**doublings, LONGEST_PAUSE)
            if wait:
                self.bell.wait(wait)

    @property
    def lost(self) -> bool:
        """Tell whether there was a cluster that does not answer any more."""
        return self.cluster is not None and self.cluster.lost.is_set()

    def until_next_look(self) -> float:
        """Return how many seconds to wait if nobody rings, given that nothing is due now."""
        share = random.uniform(1 - _JITTER, 1)  # noqa: S311  # spreads load, keeps no secret
        due = leases.due_in(self.engine)
        wait = self.settings.poll_seconds * share
        return max(SHORTEST_WAIT, wait if due is None else min(wait, due))

    def work_once(self) -> bool:
        """Carry out one job if there is one; return whether there was."""
        claimed = leases.claim(self.engine, lease_seconds=self.settings.lease_seconds)
        if claimed is None:
            return False
        lease, job = claimed
        try:
            self.telemetry.attempt(job, lease.attempt, work=lambda: self._attempt(lease, job))
        finally:
            memory.release()
        return True

    def _attempt(self, lease: Lease, job: Job) -> End:
        log.info("claimed", model=job.submission.spec.model)
        try:
            return self._carried_out(lease, job)
        except LeaseLost:
            log.warning("lost the lease; whoever holds it now goes on from the recorded trials")
            return End.LEASE_LOST
        except StoreError as error:
            # nothing can be written about it now; the lease runs out and the job is claimed again
            log.warning("abandoned", why=str(error))
            raise

    def _carried_out(self, lease: Lease, job: Job) -> End:
        """Carry the job out and leave it in the state that its end calls for."""
        heartbeat = self._heartbeat(lease)
        release = partial(leases.release, self.engine, lease)
        holding = self.departure.holding(release) if self.departure else nullcontext()
        try:
            with holding, heartbeat:
                carry_out(self._prepared(lease, job, heartbeat=heartbeat))
        except (Cancelled, LeaseLost) as error:
            # the heartbeat may end the job between a check and a write, which is refused then
            if not heartbeat.cancelled:
                if isinstance(error, LeaseLost):
                    raise
                leases.cancel(self.engine, lease)
            log.info("cancelled")
            return End.CANCELLED
        except (Stopping, ClusterLost) as error:
            leases.release(self.engine, lease)
            log.info("released", why=str(error))
            return End.RELEASED
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # the worker outlives whatever a job does
            if isinstance(error, ShardsLost) and self.cluster is not None:
                # it may be another cluster by now that answers: better to connect afresh
                self.cluster.lost.set()
            return self._failed(lease, error, earlier=job.failures)
        log.info("finished")
        return End.FINISHED

    def _failed(self, lease: Lease, error: Exception, *, earlier: int) -> End:
        decision = retry.decide(error, earlier, attempt=lease.attempt)
        if decision.delay is None:
            log.warning("failed", code=decision.error.code, why=decision.error.message)
            leases.fail(self.engine, lease, decision.error)
            return End.FAILED
        log.error(
            "attempt failed", code=decision.error.code, retry_in=decision.delay, exc_info=error
        )
        again = leases.retry if decision.counted else leases.postpone
        again(self.engine, lease, error=decision.error, delay_seconds=decision.delay)
        return End.RETRY

    def _heartbeat(self, lease: Lease) -> Heartbeat:
        seconds = self.settings.lease_seconds
        renew = partial(leases.renew, self.engine, lease, lease_seconds=seconds)
        return Heartbeat(
            lambda: self.telemetry.heartbeat(renew),
            # at least three signs of life per lease, so that one may be missed
            interval=min(self.settings.heartbeat_seconds, seconds / 3),
            cancel=partial(leases.cancel, self.engine, lease),
        )

    def _prepared(self, lease: Lease, job: Job, *, heartbeat: Heartbeat) -> Attempt:
        def check() -> None:
            if heartbeat.lost is not None:
                raise heartbeat.lost
            if heartbeat.cancel_requested:
                raise Cancelled
            if self.stop.is_set():
                raise Stopping
            if self.cluster is not None and self.cluster.lost.is_set():
                raise ClusterLost(self.cluster.address)

        def overdue(what: str, seconds: float) -> None:
            log.error("overdue, ending the process", what=what, seconds=seconds)
            message = (
                f"{what} took longer than {seconds:g} s; raise trial_timeout if it is not hung"
            )
            leases.note_cause(self.engine, lease, JobError(code="timeout", message=message))

        return Attempt(
            engine=self.engine,
            lease=lease,
            submission=job.submission,
            settings=self.settings,
            device=self.device,
            limit=Watchdog(overdue).limit,
            check=check,
            telemetry=self.telemetry,
            open_shards=partial(self._shards, job.submission.spec, check=check),
        )

    def _shards(
        self, job: JobSpec, *, check: Callable[[], None]
    ) -> AbstractContextManager[Shards | None]:
        """Open those who evaluate the job."""
        if self.cluster is None:
            return devices.opened(job, self.settings, check=check)
        return ray_shards.opened(self.cluster, job, settings=self.settings, check=check)
