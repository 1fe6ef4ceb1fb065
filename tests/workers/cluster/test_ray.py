"""Shards on a real Ray cluster of several nodes on this machine, whose parts are killed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from search.spec import JobSpec
from service.store import jobs
from service.store import leases
from service.store import trials
from service.store.values import JobState
from tests.contracts.shards import BATCH
from tests.contracts.shards import JOB
from tests.contracts.shards import Open
from tests.contracts.shards import ShardsContract
from tests.workers.conftest import Submit
from tests.workers.processes import until
from workers.cluster import connection as clusters
from workers.cluster import ray_shards
from workers.cluster.connection import Cluster
from workers.cluster.ray_shards import RayShards
from workers.errors import Stopping
from workers.settings import RaySettings
from workers.settings import WorkerSettings
from workers.shards.errors import ShardFailed
from workers.shards.errors import ShardsLost
from workers.shards.shards import Shards
from workers.shards.shards import parts
from workers.worker import Worker

# placing actors takes long on a busy machine
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
#: actors that most tests share, since loading PyTorch takes seconds; and room for a few more
SHARED, FREE = 3, 2


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """Return a cluster whose head evaluates nothing, with one node beside it."""
    from ray.cluster_utils import Cluster as Nodes

    head = {"num_cpus": 0, "include_dashboard": False}
    found: Any = Nodes(initialize_head=True, head_node_args=head)
    found.add_node(num_cpus=SHARED + FREE)
    yield found
    found.shutdown()


@pytest.fixture(scope="module")
def cluster(nodes: Any) -> Iterator[Cluster]:
    """Return this process's connection to it."""
    settings = RaySettings(address=nodes.address, patience=60)
    connected = clusters.connect(settings, stop=threading.Event())
    assert connected is not None
    yield connected
    connected.close()
    connected.ray.shutdown()


@pytest.fixture(scope="module")
def settings(folder: Path) -> WorkerSettings:
    """Return those of a worker that keeps what it needs in the folder."""
    return WorkerSettings(
        cache_dir=folder, model_root=folder, batch=BATCH, database_url="postgresql://secret@host/x"
    )


@pytest.fixture(scope="module")
def shared(cluster: Cluster, settings: WorkerSettings) -> Iterator[RayShards]:
    """Return three actors for `JOB`."""
    job = replace(JOB, parallelism=SHARED)
    with ray_shards.opened(cluster, job, settings=settings, check=nothing) as shards:
        assert shards.count == SHARED
        yield shards


@pytest.fixture(scope="module")
def opened(cluster: Cluster, shared: RayShards) -> Open:
    """Return what opens as many of these three."""

    @contextmanager
    def open_(job: JobSpec, count: int) -> Iterator[Shards]:
        assert job == JOB
        yield RayShards(cluster.ray, shared._actors[:count], check=nothing)

    return open_


def nothing() -> None:
    """Let the work go on."""


def pid(cluster: Cluster, actor: Any) -> int:
    """Return the actor's process."""
    return int(cluster.ray.get(actor.__ray_call__.remote(lambda _: os.getpid())))


def free(cluster: Cluster) -> float:
    """Return how many more actors there is room for."""
    return float(cluster.ray.available_resources().get("CPU", 0))


class TestRay(ShardsContract):
    def test_what_a_shard_refuses_on_purpose_ends_the_job_with_its_code(
        self, cluster: Cluster, settings: WorkerSettings
    ) -> None:
        job = JobSpec(model="no-such-model", dataset="digits", tolerance=0.02)
        opened = ray_shards.opened(cluster, job, settings=settings, check=nothing)
        with pytest.raises(ShardFailed, match="no-such-model") as caught, opened:
            pass
        assert caught.value.code == "unknown-model"

    def test_nobody_on_the_cluster_learns_the_database(
        self, cluster: Cluster, shared: RayShards
    ) -> None:
        asked = shared._actors[0].__ray_call__.remote(lambda holder: holder._settings.database_url)
        assert cluster.ray.get(asked) == ""


class TestLost:
    def test_the_part_of_an_actor_or_a_node_that_is_killed_is_done_by_another(
        self, nodes: Any, cluster: Cluster, *, settings: WorkerSettings, shared: RayShards
    ) -> None:
        numbers = range(7)
        expected = parts(shared, "digests", numbers=numbers, split="search")
        doomed = nodes.add_node(num_cpus=1)
        job = replace(JOB, parallelism=FREE + 1)
        with ray_shards.opened(cluster, job, settings=settings, check=nothing) as shards:
            assert shards.count == FREE + 1
            for actor in shards._actors[:2]:
                os.kill(pid(cluster, actor), signal.SIGKILL)
                assert parts(shards, "digests", numbers=numbers, split="search") == expected
            nodes.remove_node(doomed, allow_graceful=False)
            assert parts(shards, "digests", numbers=numbers, split="search") == expected
        until(lambda: free(cluster) == FREE)  # none is left of them

    def test_what_kills_whoever_does_it_fails_with_the_cause(self, cluster: Cluster) -> None:
        class Deadly:
            device = "cpu"

            def do(self, act: str, **_: Any) -> Any:
                if act != "facts":
                    os._exit(9)
                return self

        # defined here, so sent along with the actor: nodes have no tests
        actor = cluster.ray.remote(num_cpus=1, max_restarts=-1)(Deadly).remote()
        shards = RayShards(cluster.ray, [actor], check=nothing, first_break=0.05)
        with pytest.raises(ShardsLost, match="7 times in a row over 'hits'"):
            shards.each("hits", {0: {}})
        cluster.ray.kill(actor)


class TestOpened:
    def test_what_others_use_is_not_waited_for(
        self, cluster: Cluster, settings: WorkerSettings, shared: RayShards
    ) -> None:
        hasty = RaySettings(address=cluster.address, patience=0.1)
        job = replace(JOB, parallelism=SHARED + FREE)
        with (
            closing(Cluster(cluster.ray, hasty, address=cluster.address)) as impatient,
            ray_shards.opened(impatient, job, settings=settings, check=nothing) as shards,
        ):
            assert 1 <= shards.count <= FREE

    def test_waiting_can_be_interrupted(self, cluster: Cluster, settings: WorkerSettings) -> None:
        def check() -> None:
            raise Stopping

        opened = ray_shards.opened(cluster, JOB, settings=settings, check=check)
        with pytest.raises(Stopping), opened:
            pass
        until(lambda: free(cluster) == FREE)


class TestWorker:
    def test_a_job_comes_to_what_it_comes_to_without_a_cluster(
        self, worker: Worker, submit: Submit, *, engine: Engine, cluster: Cluster
    ) -> None:
        alone = submit().id
        assert worker.work_once()
        shared = submit(parallelism=FREE).id
        many = Worker(engine, worker.settings, worker.device, worker.stop, cluster=cluster)
        assert many.work_once()
        one, other = jobs.get(engine, alone), jobs.get(engine, shared)
        assert (one.state, other.state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)
        assert trials.history(engine, shared) == trials.history(engine, alone)
        assert one.result is not None
        assert other.result is not None
        spec = {**one.result["spec"], "parallelism": FREE}
        assert other.result == {**one.result, "spec": spec}
        assert one.setup == other.setup
        assert one.progress == other.progress

    def test_a_cluster_that_is_lost_costs_the_job_no_attempt(
        self, worker: Worker, submit: Submit, *, engine: Engine, cluster: Cluster
    ) -> None:
        job_id = submit(parallelism=FREE).id
        gone = Cluster(cluster.ray, cluster.settings, address=cluster.address)
        gone.close()
        gone.lost.set()
        left = Worker(engine, worker.settings, worker.device, worker.stop, cluster=gone)
        assert left.work_once()
        job = jobs.get(engine, job_id)
        assert (job.state, job.failures) == (JobState.QUEUED, 0)
        assert leases.due_in(engine) == 0
        left.work_forever()  # ends at once: there is nothing it could do


class TestConnect:
    def test_a_cluster_that_is_not_there_is_waited_for(self) -> None:
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        assert clusters.connect(RaySettings(address="127.0.0.1:1"), stop=stop) is None

    @pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
    def test_where_nobody_listens_nobody_answers(self, address: str) -> None:
        assert not clusters.answers(address)

    def test_where_somebody_listens_they_do(self, cluster: Cluster) -> None:
        assert clusters.answers(cluster.address)
        assert clusters.answers(f"ray://{cluster.address}")
