"""The demo: a whole deployment started, one real search over HTTP, its results shown and saved."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import Annotated

import typer

from service.answers import Job
from service.cli import tables
from service.cli.errors import DemoFailed
from service.cli.errors import FileUnusable
from service.cli.output import document_of
from service.cli.output import say
from service.cli.output import show
from service.cli.output import write
from service.cli.watch import follow
from service.cli.watch import outcome
from service.client import BitfloorClient
from service.client import ClientError
from service.store.values import JobState

START_LIMIT = 120.0  # seconds until the worker must have announced what it can load
STOP_LIMIT = 15.0  # seconds; more than `bitfloor up` gives its worker
MODEL = "digits-vgg"
DATASET = "digits"
TOLERANCE = 0.02


def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where results and database go.")
    ] = Path("demo-output"),
    trials: Annotated[int, typer.Option(min=1, help="How many allocations to try.")] = 40,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Stay up until Ctrl-C, on a terminal.")
    ] = False,
) -> None:
    """Start everything, search a small network's best allocation, show it and save it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        log = (output / "server.log").open("w")
    except OSError as error:
        raise FileUnusable(output, error.strerror or str(error)) from error
    with log, _deployment(output / "data", log) as address:
        try:
            _search_and_show(address, output, trials=trials)
        except ClientError as error:
            raise DemoFailed(str(error), log.name) from error
        if keep and sys.stdin.isatty() and sys.stdout.isatty():
            say("everything stays up until Ctrl-C")
            _wait_for_interrupt()
    again = f"bitfloor up --data-dir {output / 'data'}"
    say(f"all stopped; to look at it again: {again}")


@contextmanager
def _deployment(data_dir: Path, log: IO[str]) -> Iterator[str]:
    """Run `bitfloor up` on a free port, and yield its address once it is ready."""
    tether = (sys.executable, "-m", "service.cli.tether", str(os.getpid()))
    command = (*tether, "-m", "service.cli", "up", "--port", "0", "--data-dir", str(data_dir))
    say("starting API, dashboard and worker")
    process = subprocess.Popen(  # noqa: S603  # our own program
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        process_group=0,  # Ctrl-C is ours to hand on
    )
    try:
        yield _address(process, log.name)
    finally:
        _stop(process)


def _address(process: subprocess.Popen[str], log: str) -> str:
    assert process.stdout is not None  # noqa: S101  # asked for above
    too_late = threading.Timer(START_LIMIT, process.terminate)
    too_late.start()
    try:
        told = dict(_named(line) for line in (process.stdout.readline() for _ in range(3)) if line)
    finally:
        too_late.cancel()
    if "server" not in told:
        raise DemoFailed("the server did not become ready", log)
    for name, address in told.items():
        print(f"{name:<10} {address}")
    return told["server"]


def _named(line: str) -> tuple[str, str]:
    name, _, address = line.strip().rpartition(" ")
    return name.strip(), address


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()  # its worker is tethered to it
        process.wait()
    if process.stdout:
        process.stdout.close()


def _search_and_show(address: str, output: Path, *, trials: int) -> None:
    with BitfloorClient(address) as client:
        submitted = client.submit(
            {
                "model": MODEL,
                "dataset": DATASET,
                "tolerance": TOLERANCE,
                "budget": trials,
                "fresh": True,
            }
        )
        say(f"job {submitted.id}: {MODEL} on {DATASET}, at most {TOLERANCE:g} below its accuracy")
        job = follow(client.follow(submitted.id))
        if job.state is not JobState.SUCCEEDED:
            raise DemoFailed(outcome(job), output / "server.log")
        _show_and_save(client, job, output=output)


def _show_and_save(client: BitfloorClient, job: Job, *, output: Path) -> None:
    best, front = client.best(job.id).raw, client.front(job.id)
    document = json.loads(best)
    show(tables.best(document))
    print("\nPareto front, fewest bits first")
    show(tables.front(front))
    write(output / "best.json", best)
    write(output / "front.json", json.dumps(document_of(front), indent=2).encode() + b"\n")
    write(output / "report.html", client.report(job.id).encode())
    print(f"saved      {', '.join(str(output / name) for name in _SAVED)}")
    print(f"API docs   {client.server}/docs")
    print(f"dashboard  {client.server}/")


_SAVED = ("best.json", "front.json", "report.html")


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("stopping")
