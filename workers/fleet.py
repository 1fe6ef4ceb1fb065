"""`python -m workers.fleet`: has Ray place workers across a cluster, and start lost ones again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from platform import node
from types import FrameType
from typing import Annotated
from typing import Any

import structlog
import typer
from pydantic import ValidationError

from service import logs
from service.settings import LogSettings
from workers.cluster.connection import Cluster
from workers.cluster.connection import connect
from workers.errors import WorkerError
from workers.settings import PREFIX
from workers.settings import RaySettings

log = structlog.get_logger()
app = typer.Typer(add_completion=False)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a worker that ended is started again
#: seconds for a worker to finish its round and give its job back
GRACE = 12.0
LOOK = 0.5  # seconds between two looks at the cluster

#: leaves a worker's own options as they are
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


class Keeper:
    """An actor that keeps one worker running as a process of its own, wherever Ray placed it."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """`arguments` are those of `python -m workers`."""
        self._arguments = tuple(arguments)
        self._environment = dict(environment)
        self._stop = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None

    def where(self) -> str:
        """Return the machine."""
        return node()

    def run(self) -> None:
        """Keep a worker running until `stop` is called; a step that hangs ends its worker."""
        pause = FIRST_PAUSE
        inherited = os.environ  # rule: environment, because the worker reads it, too
        while not self._stop.is_set():
            # it ends with this process, whatever ends that
            tether = [sys.executable, "-m", "service.cli.tether", str(os.getpid())]
            self._worker = subprocess.Popen(  # noqa: S603  # our own program
                [*tether, "-m", "workers", *self._arguments],
                stdin=subprocess.DEVNULL,
                env=inherited | self._environment,
            )
            self._worker.wait()
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def stop(self) -> None:
        """Let the worker finish its round and give its job back; return when it is gone."""
        self._stop.set()
        if self._worker is None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._worker.kill()


def keep(
    cluster: Cluster, actors: Sequence[Any], *, stop: threading.Event, sleep: Callable[[float], Any]
) -> None:
    """Keep the workers running until asked to stop, or until the cluster is lost."""
    ray = cluster.ray
    for actor in actors:
        actor.run.remote()
    places = {actor.where.remote(): number for number, actor in enumerate(actors)}
    while not (stop.is_set() or cluster.lost.is_set()):
        done, _ = ray.wait(list(places), num_returns=len(places), timeout=0) if places else ([], [])
        for placed in done:
            log.info("placed", worker=places.pop(placed), node=ray.get(placed))
        sleep(LOOK)
    if not cluster.lost.is_set():
        log.info("stopping", workers=len(actors))
        ray.wait([actor.stop.remote() for actor in actors], num_returns=len(actors), timeout=GRACE)


def keepers(
    cluster: Cluster, count: int, *, arguments: Sequence[str], environment: Mapping[str, str]
) -> list[Any]:
    """Return as many actors, which Ray places when there is room, and again when they are lost."""
    keeper = cluster.ray.remote(
        num_cpus=cluster.settings.cpus,
        num_gpus=cluster.gpus,
        max_restarts=-1,
        max_task_retries=-1,
        # one waits for the worker, the other stops it
        max_concurrency=3,
    )(Keeper)
    return [keeper.remote(arguments, environment) for _ in range(count)]


def _on_signals(stop: threading.Event) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


@app.command(context_settings=PASSED_ON)
def fleet(
    context: typer.Context,
    *,
    count: Annotated[int, typer.Option(min=1, help="how many workers")],
    ray: Annotated[str | None, typer.Option(help="address of the Ray cluster")] = None,
) -> None:
    """Run workers across a Ray cluster until stopped; other options are passed on to each."""
    stop = threading.Event()
    _on_signals(stop)
    lines = LogSettings()
    logs.to_stderr(lines.log_format, level=lines.log_level or "info")
    try:
        settings = RaySettings() if ray is None else RaySettings(address=ray)
        cluster = connect(settings, stop=stop)
    except (ValidationError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # one line for people
        raise typer.Exit(1) from None
    if cluster is None:
        return
    _on_signals(stop)  # again: connecting has replaced them
    said = os.environ.items()  # rule: environment, because this is where each worker's comes from
    own = {name: value for name, value in said if name.startswith(PREFIX)}
    actors = keepers(cluster, count, arguments=context.args, environment=own)
    keep(cluster, actors, stop=stop, sleep=stop.wait)
    if cluster.lost.is_set():
        # to wait for the cluster afresh: this process cannot leave the one it was connected to
        os.execv(sys.executable, [sys.executable, "-m", "workers.fleet", *sys.argv[1:]])  # noqa: S606  # our own program, no shell


if __name__ == "__main__":
    app()
