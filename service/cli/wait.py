"""`bitfloor wait`: a job's end as a gate in a pipeline, by its exit status and as JUnit XML."""

import json
import math
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from typing import Any

import typer

from service.answers import Job
from service.cli import conditions
from service.cli import gate
from service.cli import junit as xml
from service.cli import watch
from service.cli.conditions import Condition
from service.cli.connection import connect
from service.cli.errors import STATUS_OF_STATE
from service.cli.errors import ExitStatus
from service.cli.options import FailUnless
from service.cli.options import JobId
from service.cli.options import Junit
from service.cli.options import Server
from service.cli.output import say
from service.cli.output import write
from service.client import DEFAULT_SERVER
from service.client import BitfloorClient
from service.client import Unreachable
from service.client import WaitTimeout
from service.store.values import JobState


def wait(  # noqa: PLR0913 - an option is a parameter
    job_id: JobId,
    *,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Exit 8 if it has not ended by then."),
    ] = None,
    fail_if_below_floor: Annotated[
        bool,
        typer.Option(
            "--fail-if-below-floor",
            help="Exit 9 unless the best is certified to hold the floor.",
        ),
    ] = False,
    fail_unless: FailUnless = None,
    junit: Junit = None,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Wait until a job ends; the exit status tells how, and whether its best will do."""
    wanted = [conditions.parse(text) for text in fail_unless or ()]
    if timeout is not None and math.isnan(timeout):
        raise typer.BadParameter("nan is no number of seconds", param_hint="--timeout")
    with connect(server) as client:
        try:
            job: Job = watch.until_ended(client, job_id, timeout=timeout)
        except WaitTimeout as late:
            if junit:
                with suppress(Unreachable):  # what ended the waiting is told, not what came then
                    told = gate.suite(client.job(job_id), None, wanted=wanted, why_none=str(late))
                    write(junit, xml.render(told))
            raise
        best = _best(client, job) if wanted or junit or fail_if_below_floor else None
    if junit:
        write(junit, xml.render(gate.suite(job, best, wanted=wanted)))
    if job.state is not JobState.SUCCEEDED:
        raise typer.Exit(STATUS_OF_STATE[job.state])
    if best is not None:
        exit_unless_met(best, wanted, certified=fail_if_below_floor)


def exit_unless_met(
    best: Mapping[str, Any], wanted: Sequence[Condition], *, certified: bool = False
) -> None:
    """Tell what the best document does not meet, and leave with the status that says so."""
    proof = gate.certificate(best) if certified else None
    below = proof is not None and proof.fault is not None
    if proof and below:
        say(f"below the floor: {proof.why}")
    unmet = [case for case in (gate.condition(one, best) for one in wanted) if case.fault]
    for case in unmet:
        say(f"not met: {case.name} ({case.why})")
    if below:
        raise typer.Exit(ExitStatus.BELOW_FLOOR)
    if unmet:
        raise typer.Exit(ExitStatus.CONDITION_NOT_MET)


def _best(client: BitfloorClient, job: Job) -> Mapping[str, Any] | None:
    if job.state is not JobState.SUCCEEDED:
        return None
    document: Mapping[str, Any] = json.loads(client.best(job.id).raw)
    return document
