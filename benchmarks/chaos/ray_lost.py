"""Evaluators, nodes and the head of a Ray cluster are killed while a job is evaluated on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.chaos import requests
from benchmarks.chaos import work
from benchmarks.chaos.crew import hired
from benchmarks.chaos.crew import until
from benchmarks.chaos.figures import Check
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.ray_nodes import Node
from benchmarks.chaos.ray_nodes import Nodes
from benchmarks.chaos.ray_nodes import nodes
from benchmarks.chaos.work import Outcome
from service.cli.database import opened
from service.store import jobs
from workers.cluster.connection import answers

ACTOR = "a Ray actor that evaluates is killed (`kill -9`)"
NODE = "a node of the Ray cluster is killed, and another joins"
HEAD = "the head of the Ray cluster is killed, and with it all nodes; then they are back"
EVALUATORS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How often, and to what."""

    times: int = 10
    #: trials of the job
    budget: int = 400
    #: seconds
    lease: float = 5.0


LONG = Sizes()
#: a cluster takes half a minute to be up again
LONG_HEAD = Sizes(times=3)


@dataclass
class Scene:
    """A job that is evaluated on a cluster, and the worker that coordinates it."""

    engine: Engine
    nodes: Nodes
    #: of `python -m workers`
    options: Sequence[str]
    log: Path
    job_id: str
    head: Node
    #: those that evaluate
    others: list[Node]
    worker: Node | None = None
    #: how often the worker was started
    starts: int = 0

    def trials(self) -> int:
        """Return how many are recorded."""
        return jobs.outline(self.engine, self.job_id).progress.trials

    def ended(self) -> bool:
        """Tell whether the job has."""
        return jobs.outline(self.engine, self.job_id).state.final

    def tend(self) -> None:
        """Start the worker if none runs, as whatever runs it would."""
        if self.worker is None or self.worker.poll() is not None:
            with self.log.open("a") as log:
                self.worker = subprocess.Popen(
                    [sys.executable, "-m", "workers", *self.options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            self.starts += 1

    def further(self, trials: int) -> bool:
        """Tell whether more than so many are recorded, or the job has ended; tend the worker."""
        self.tend()
        return self.ended() or self.trials() > trials


#: makes one thing happen
Harm = Callable[[Scene], None]


def actor(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Kill one of the processes that evaluate."""

    def harm(scene: Scene) -> None:
        # one that is just about to start again cannot be killed once more
        until("an evaluator runs", lambda: bool(scene.nodes.evaluators()))
        with suppress(ProcessLookupError):
            os.kill(ground.draws.choice(scene.nodes.evaluators()), signal.SIGKILL)

    return _made(ground, sizes, fault=ACTOR, harm=harm)


def node(ground: Ground, sizes: Sizes = LONG) -> Figure:
    """Kill one of the nodes that evaluate, and have another join."""

    def harm(scene: Scene) -> None:
        lost = ground.draws.choice(scene.others)
        scene.nodes.kill(lost)
        scene.others.remove(lost)
        scene.others.append(scene.nodes.start_node(evaluators=1))

    return _made(ground, sizes, fault=NODE, harm=harm)


def head(ground: Ground, sizes: Sizes = LONG_HEAD) -> Figure:
    """Kill all of the cluster, and start it again."""

    def harm(scene: Scene) -> None:
        # from the nodes to the head, or those would end by themselves
        for one in (*scene.others, scene.head):
            scene.nodes.kill(one)
        scene.head, scene.others = _started(scene.nodes)

    return _made(ground, sizes, fault=HEAD, harm=harm)


def _made(ground: Ground, sizes: Sizes, *, fault: str, harm: Harm) -> Figure:
    asked = requests.spec(0, budget=sizes.budget)
    with ground.fresh() as url, opened(url) as engine:
        with hired(ground.nursery, ground.folder / "alone", database_url=url) as crew:
            alone = work.undisturbed(engine, crew, [asked])[0]
        with nodes() as cluster, _scene(ground, engine, cluster, url=url, sizes=sizes) as scene:
            scene.job_id = work.submit(engine, replace(asked, parallelism=EVALUATORS))
            pauses = [_harmed(scene, harm, draw=ground.draws.random()) for _ in range(sizes.times)]
            until("the job has ended", lambda: scene.further(sizes.budget))
            damage = work.damage(engine, {scene.job_id: _shared(alone)})
        job = jobs.get(engine, scene.job_id)
    return Figure(
        fault=fault,
        database=ground.database,
        done=f"{sizes.times} times in a job of {sizes.budget} trials on {EVALUATORS} evaluators",
        checks=(
            Check(what="jobs lost", seen=damage.jobs, at_most=0),
            Check(what="trials lost or altered", seen=damage.trials, at_most=0),
            Check(what="results altered", seen=damage.results, at_most=0),
            Check(what="happened in the middle of the job", seen=len(pauses), at_least=sizes.times),
            Check(what="went on after at most", seen=max(pauses), unit=" s"),
            Check(what="attempts", seen=job.attempt),
            Check(what="starts of the worker", seen=scene.starts),
        ),
    )


def _shared(alone: Outcome) -> Outcome:
    """Return what the same request comes to on several evaluators: the same, but for asking so."""
    assert alone.result is not None
    spec = {**alone.result["spec"], "parallelism": EVALUATORS}
    return replace(alone, result={**alone.result, "spec": spec})


def _harmed(scene: Scene, harm: Harm, *, draw: float) -> float:
    """Do harm after a few trials more; return the seconds until one more was recorded."""
    some = scene.trials() + int(5 * draw)
    until("some trials more", lambda: scene.further(some))
    assert not scene.ended(), "the job ended before all that was to happen to it"
    before = scene.trials()
    began = time.monotonic()
    harm(scene)
    until("the job goes on", lambda: scene.further(before + 1))
    return time.monotonic() - began


@contextmanager
def _scene(
    ground: Ground, engine: Engine, cluster: Nodes, *, url: str, sizes: Sizes
) -> Iterator[Scene]:
    """Start a cluster and a worker on it, and end the worker."""
    known = ["--database-url", url, "--ray", cluster.address, "--lease-seconds", str(sizes.lease)]
    options = [*known, "--cache-dir", str(ground.folder / "cache")]
    head, others = _started(cluster)
    scene = Scene(engine, cluster, options, ground.folder / "worker.log", "", head, others)
    try:
        yield scene
    finally:
        if scene.worker is not None:
            scene.worker.kill()
            scene.worker.wait()


def _started(cluster: Nodes) -> tuple[Node, list[Node]]:
    """Start a head, and a node for each evaluator."""
    first = cluster.start_head()
    until("the head answers", lambda: answers(cluster.address))
    return first, [cluster.start_node(evaluators=1) for _ in range(EVALUATORS)]
