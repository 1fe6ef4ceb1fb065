"""Has torch loaded and forks workers that are ready at once: `python -m benchmarks.chaos.clock`.

Reads one JSON document a line and answers each with one: {"start": {...}} with the new worker's
{"pid"}, {"ended": true} with [[pid, status], ...] of the workers that ended since. When its input
ends, it ends its workers. They are what `bitfloor worker` runs, with a journal for a tracer.
"""

import ctypes
import gc
import json
import os
import signal
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from benchmarks.chaos import clock as wall
from benchmarks.chaos import requests
from benchmarks.chaos.held import held
from benchmarks.chaos.journal import HELD
from benchmarks.chaos.journal import READY
from benchmarks.chaos.journal import JournalTracer
from service import logs
from service.store import catalog
from service.store import session
from workers import openmp  # noqa: F401 - before anything that loads torch
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.offers import offers
from workers.settings import WorkerSettings
from workers.telemetry import Telemetry
from workers.worker import Worker

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Answer until there are no more questions."""
    living: set[int] = set()
    _warm_up()
    gc.freeze()
    print(json.dumps({"threads": len([*Path("/proc/self/task").iterdir()])}), flush=True)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        if "start" in asked:
            pid = _forked(**asked["start"])
            living.add(pid)
            print(json.dumps({"pid": pid}), flush=True)
        else:
            ended = _ended()
            living -= {pid for pid, _ in ended}
            print(json.dumps(ended), flush=True)
    for pid in living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # there is nothing to tidy up, and some of what torch loaded complains about how Python does
    os._exit(0)


def _warm_up() -> None:
    """Do once what loads more of torch, and takes twice as long the first time."""
    with tempfile.TemporaryDirectory() as folder:
        settings = WorkerSettings(cache_dir=Path(folder))
        bench = workbench.prepare(
            requests.spec(0, budget=1),
            models=open_models(settings.model_root),
            around=surroundings(settings),
            device=torch.device("cpu"),
            batch=settings.batch,
        )
        # without a backward pass, which would start threads
        bench.evaluator(bench.dataset.search)


def _ended() -> list[tuple[int, int]]:
    """Return who ended since it was asked last, with the status: negative for a signal."""
    ended = []
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append((found[0], os.waitstatus_to_exitcode(found[1])))
    return ended


def _forked(  # noqa: PLR0913 - all that a worker is told
    *,
    journal: str,
    log: str,
    settings: dict[str, Any],
    limits: dict[str, int],
    clock: float,
    packages: list[str],
) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _redirect(Path(log))
        wall.shift(clock)
        sys.path += packages
        _work(WorkerSettings(**settings), JournalTracer(Path(journal)), limits)
        status = 0
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _redirect(log: Path) -> None:
    """Read nothing, print nothing, and append what is said to the log."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(written, 1)
    os.dup2(written, 2)


def _work(settings: WorkerSettings, tracer: JournalTracer, limits: dict[str, int]) -> None:
    import resource  # noqa: PLC0415 - no other system has it, and only Linux has what else is used

    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    logs.to_stderr("json", level="info")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = session.open_engine(settings.database_url)
    session.require_current_schema(engine)
    catalog.announce(engine, offers(open_models(settings.model_root), surroundings(settings)))
    device = workbench.choose_device(settings.device)
    signal.signal(signal.SIGUSR1, lambda *_: tracer.note(HELD, held=held(device)))
    tracer.note(READY)
    Worker(engine, settings, device, stop, Telemetry(tracer=tracer)).work_forever()


if __name__ == "__main__":
    main()
