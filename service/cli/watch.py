"""Commands that hand in a job and follow it: submit, watch."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import SpinnerColumn
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from rich.text import Text

from service.answers import Job
from service.cli import spec_file
from service.cli.connection import connect
from service.cli.errors import STATUS_OF_STATE
from service.cli.errors import ExitStatus
from service.cli.options import JobId
from service.cli.options import Server
from service.cli.output import console
from service.cli.output import plain
from service.cli.output import say
from service.client import DEFAULT_SERVER
from service.client import BitfloorClient
from service.store.values import JobState
from service.words import amount_in_words
from service.words import objective_of
from service.words import percent

PLAIN_STEPS = 10  # lines a search, where there is no terminal to draw on


def submit(  # noqa: PLR0913 - an option is a parameter
    spec: Annotated[str, typer.Argument(metavar="SPEC.yaml", help='What to search; "-" is stdin.')],
    *,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Override a field; repeatable."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch it until it ends.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Submitting again gives the same job.")
    ] = None,
    from_job: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Start from what this earlier job has evaluated."),
    ] = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Submit a search; prints the job's id."""
    request = spec_file.read(spec, overrides or ())
    if from_job is not None:
        request["from_job"] = from_job
    with connect(server) as client:
        job = client.submit(request, idempotency_key=idempotency_key)
        typer.echo(job.id)
        if wait:
            _watch_to_the_end(client, job.id)
        else:
            say(f"submitted; see: bitfloor watch {job.id}")


def watch(job_id: JobId, server: Server = DEFAULT_SERVER) -> None:
    """Follow a job until it ends; the exit status tells how."""
    with connect(server) as client:
        _watch_to_the_end(client, job_id)


def _watch_to_the_end(client: BitfloorClient, job_id: str) -> None:
    job = until_ended(client, job_id)
    raise typer.Exit(STATUS_OF_STATE[job.state])


def until_ended(client: BitfloorClient, job_id: str, *, timeout: float | None = None) -> Job:
    """Show the job's progress until it has ended, tell how, and return it.

    Raises WaitTimeout after so many seconds; Ctrl-C ends the command and not the job.
    """
    try:
        job = follow(client.follow(job_id, timeout=timeout))
    except KeyboardInterrupt:
        say(f"the job goes on; see: bitfloor watch {job_id}, or end it: bitfloor cancel {job_id}")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    say(outcome(job))
    return job


def follow(states: Iterator[Job]) -> Job:
    """Show the job's progress on stderr, drawn or in plain lines; return its last state."""
    stderr = console(stderr=True)
    return _draw(states, stderr) if stderr.is_terminal else _tell(states)


def outcome(job: Job) -> str:
    """Return in a sentence how the job ended, and what to do next."""
    match job.state:
        case JobState.SUCCEEDED:
            told = f", answered from job {job.answered_by}" if job.answered_by else ""
            return f"succeeded{told}: {summary(job)}; see: bitfloor best {job.id}"
        case JobState.INFEASIBLE:
            reason = (job.infeasible or {}).get("reason") or "nothing held the floor"
            return f"infeasible: {reason}; see: bitfloor report {job.id} -o report.html"
        case JobState.FAILED:
            return f"failed: {job.error.message if job.error else 'no cause was recorded'}"
        case _:
            return f"{job.state.value} after {job.progress.trials} trials"


def summary(job: Job) -> str:
    """Return the best so far against the floor, in one line."""
    progress = job.progress
    parts = [f"{progress.images_evaluated:,} images"]
    if job.taken:
        parts.append(f"{job.taken.trials:,} earlier trials taken over")
    if progress.best:
        saved = percent(progress.best.saved)
        cost = amount_in_words(progress.best.memory_bytes, objective_of(job.spec))
        parts.append(f"{saved} saved ({cost})")
        parts.append(f"accuracy {percent(progress.best.accuracy, 2)}")
    if progress.floor is not None:
        parts.append(f"floor {percent(progress.floor, 2)}")
    return ", ".join(parts)


def _draw(states: Iterator[Job], stderr: Console) -> Job:
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("trials"),
        TimeElapsedColumn(),
        console=stderr,
    )
    task = bar.add_task("waiting", total=None)
    with Live(console=stderr, refresh_per_second=8) as live:
        for job in states:  # the last one is returned
            progress = job.progress
            bar.update(
                task,
                description=plain(job.stage or job.state.value),
                completed=progress.trials,
                total=progress.budget,
            )
            live.update(Group(bar, Text("  " + plain(summary(job)))))
    return job


def _tell(states: Iterator[Job]) -> Job:
    told = None
    for job in states:
        progress = job.progress
        step = progress.trials * PLAIN_STEPS // max(progress.budget, 1)
        if told != (job.state, job.stage, step):
            told = (job.state, job.stage, step)
            doing = job.stage or job.state.value
            say(f"{doing}: {progress.trials}/{progress.budget} trials, {summary(job)}")
    return job
