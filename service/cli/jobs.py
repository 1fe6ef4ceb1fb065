"""Commands about jobs: list, show, cancel, priority."""

from itertools import islice
from typing import Annotated

import typer

from service.cli import tables
from service.cli.connection import connect
from service.cli.options import JobId
from service.cli.options import Output
from service.cli.options import Server
from service.cli.output import Format
from service.cli.output import document_of
from service.cli.output import emit
from service.cli.output import say
from service.cli.output import show
from service.client import DEFAULT_SERVER
from service.store.values import JobState


def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="NAME=VALUE", help="Only jobs with this label.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many jobs.")] = 50,
    form: Output = Format.TABLE,
    server: Server = DEFAULT_SERVER,
) -> None:
    """List jobs, newest first."""
    with connect(server) as client:
        wanted = label and label.replace("=", ":", 1)
        found = list(islice(client.jobs(state=state, label=wanted), limit))
    if form is Format.TABLE:
        show(tables.jobs(found))
    else:
        emit([document_of(job) for job in found], form)


def show_job(
    job_id: JobId, form: Output = Format.TABLE, *, server: Server = DEFAULT_SERVER
) -> None:
    """Show one job."""
    with connect(server) as client:
        job = client.job(job_id)
    if form is Format.TABLE:
        show(tables.job(job))
    else:
        emit(document_of(job), form)


def cancel(job_id: JobId, server: Server = DEFAULT_SERVER) -> None:
    """Ask for a job to end; a running one does within seconds."""
    with connect(server) as client:
        job = client.cancel(job_id)
    if job.state is JobState.CANCELLED:
        say(f"cancelled {job.id}")
    else:
        say(f"asked {job.id} to end; see: bitfloor watch {job.id}")


def priority(
    job_id: JobId,
    value: Annotated[int, typer.Argument(metavar="N", help="Higher is run sooner.")],
    *,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Put a job before or behind others; a running one, for when it returns to the queue."""
    with connect(server) as client:
        job = client.change_priority(job_id, value)
    say(f"{job.id} has priority {job.priority}")
