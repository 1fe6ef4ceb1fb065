"""Workers that Ray places, and starts again wherever their process, actor or node is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from service.store import jobs
from service.store.values import JobState
from tests.conftest import opened
from tests.workers.conftest import Submit
from tests.workers.processes import until

#: looking through all processes, or at every job, takes time from those that work
patiently = partial(until, seconds=90, pause=0.2)

# all that it may wait for, one after the other
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WORKERS = 2


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """Return a cluster of one node that has room for two workers."""
    from ray.cluster_utils import Cluster as Nodes

    head = {"num_cpus": WORKERS, "include_dashboard": False}
    found: Any = Nodes(initialize_head=True, head_node_args=head)
    yield found
    found.shutdown()


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    with opened(sqlite_url) as engine:
        yield engine


@contextmanager
def fleet(nodes: Any, engine: Engine, *, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run workers as a user would."""
    url = engine.url.render_as_string(hide_password=False)
    own = ["--count", str(WORKERS), "--ray", nodes.address]
    each = ["--database-url", url, "--lease-seconds", "3", "--cache-dir", str(folder / "cache")]
    command = [sys.executable, "-m", "service.cli", "ray-workers", *own, *each]
    environment = os.environ | {"BITFLOOR_MODEL_ROOT": str(folder), "BITFLOOR_LOG_FORMAT": "json"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def workers(engine: Engine) -> dict[int, int]:
    """Return the processes of workers on this database, each with its parent's."""
    database = str(engine.url.database).encode()
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended since
        if command[1:3] == [b"-m", b"workers"] and any(database in part for part in command):
            found[int(entry.name)] = parent
    return found


def test_jobs_are_done_by_as_many_as_asked_whatever_is_killed(
    nodes: Any, engine: Engine, *, submit: Submit, tmp_path: Path
) -> None:
    with fleet(nodes, engine, folder=tmp_path) as process:
        patiently(lambda: len(workers(engine)) == WORKERS)
        # not before, or the first might have done them all when the second comes
        ids = [submit(seed=seed, budget=60).id for seed in range(4)]
        running = JobState.RUNNING
        patiently(lambda: any(jobs.get(engine, i).state is running for i in ids))
        pid, parent = next(iter(workers(engine).items()))
        os.kill(pid, signal.SIGKILL)  # a worker, which its actor starts again
        patiently(lambda: len(workers(engine).keys() - {pid}) == WORKERS)
        known = workers(engine)
        os.kill(parent, signal.SIGKILL)  # the actor, with which its worker ends
        patiently(lambda: parent not in workers(engine).values(), seconds=30)
        patiently(lambda: len(workers(engine)) == WORKERS)
        assert workers(engine) != known
        patiently(lambda: all(jobs.get(engine, i).state.final for i in ids), seconds=150)
        assert {jobs.get(engine, i).state for i in ids} == {JobState.SUCCEEDED}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        patiently(lambda: not workers(engine), seconds=30)
