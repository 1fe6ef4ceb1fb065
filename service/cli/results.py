"""Commands about what a job found: best, front, report."""

import json
import sys
from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from service.cli import conditions
from service.cli import gate
from service.cli import junit as xml
from service.cli import tables
from service.cli.connection import connect
from service.cli.errors import STATUS_OF_STATE
from service.cli.errors import ExitStatus
from service.cli.options import FailUnless
from service.cli.options import JobId
from service.cli.options import Junit
from service.cli.options import Output
from service.cli.options import Server
from service.cli.output import Format
from service.cli.output import document_of
from service.cli.output import emit
from service.cli.output import say
from service.cli.output import show
from service.cli.output import verbatim
from service.cli.output import write
from service.cli.wait import exit_unless_met
from service.client import DEFAULT_SERVER
from service.client import BitfloorClient
from service.client import Problem
from service.store.values import JobState

NOT_FOUND = 404


def best(
    job_id: JobId,
    form: Output = Format.TABLE,
    *,
    fail_unless: FailUnless = None,
    junit: Junit = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Print the certified best allocation; --format json prints its bytes as they were stored."""
    wanted = [conditions.parse(text) for text in fail_unless or ()]
    with connect(server) as client:
        job = client.job(job_id) if junit else None
        if junit and job and job.state is not JobState.SUCCEEDED:
            write(junit, xml.render(gate.suite(job, None, wanted=wanted)))
        raw = _best_or_exit(client, job_id)
    document = json.loads(raw)
    _print(raw, document, form=form)
    if junit and job:
        write(junit, xml.render(gate.suite(job, document, wanted=wanted)))
    exit_unless_met(document, wanted)


def front(job_id: JobId, form: Output = Format.TABLE, *, server: Server = DEFAULT_SERVER) -> None:
    """Print the Pareto front, fewest bits first."""
    with connect(server) as client:
        found = client.front(job_id)
    if form is Format.TABLE:
        show(tables.front(found))
    else:
        emit(document_of(found), form)


def report(
    job_id: JobId,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help='"-" is stdout.')
    ] = "report.html",
    *,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Save the report, one HTML page that needs no network."""
    with connect(server) as client:
        page = client.report(job_id)
    if output == "-":
        sys.stdout.write(page)
        return
    write(Path(output), page.encode())
    say(f"wrote {output}")


def _best_or_exit(client: BitfloorClient, job_id: str) -> bytes:
    try:
        return client.best(job_id).raw
    except Problem as problem:
        if problem.status != NOT_FOUND:
            raise
        status = _status_of(problem)
        if status is None:
            raise
        say(f"error: {problem}")
        raise typer.Exit(status) from None


def _status_of(problem: Problem) -> ExitStatus | None:
    if problem.code == "infeasible":
        return ExitStatus.JOB_INFEASIBLE
    if problem.code == "no-best-yet":
        return STATUS_OF_STATE[JobState(problem.document.get("state", JobState.RUNNING))]
    return None


def _print(raw: bytes, document: dict[str, Any], *, form: Format) -> None:
    if form is Format.TABLE:
        show(tables.best(document))
    elif form is Format.JSON:
        verbatim(raw)
    else:
        emit(document, form)
