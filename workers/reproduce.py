"""`python -m workers.reproduce SPEC OUT`: the paper's experiments, as one JSON document.

A line of progress for every row goes to stderr; the document goes to the file, all at once.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from search.errors import InvalidSpec
from search.errors import SearchError
from search.reproduction import BIT_WIDTHS
from search.reproduction import Line
from search.spec import JobSpec
from service.store import codec
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers.errors import WorkerError
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def reproduce(
    spec: Annotated[str, typer.Argument(help="JSON: a search's spec as it is stored")],
    out: Annotated[Path, typer.Argument(help="the file to write")],
    *,
    budget: Annotated[int, typer.Option(help="trials for each of the paper's methods")] = 40,
) -> None:
    """Measure every row and write the document."""
    from workers import reproduction  # noqa: PLC0415  # loads torch
    from workers import workbench  # noqa: PLC0415  # loads torch
    from workers.datasets.catalog import surroundings  # noqa: PLC0415  # loads torch
    from workers.models.registry import open_models  # noqa: PLC0415  # loads torch

    settings = WorkerSettings()
    try:
        job = codec.spec_of(json.loads(spec))
        _require_every_point(job)
        bench = workbench.prepare(
            # the step that all points share is fitted to every width the tables use
            replace(job, bit_widths=BIT_WIDTHS),
            models=open_models(settings.model_root),
            around=surroundings(settings),
            device=workbench.choose_device(settings.device),
            batch=settings.batch,
        )
        document = reproduction.document(job, bench, budget=budget, told=_tell)
    except (SearchError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # one line for people
        raise typer.Exit(1) from None
    out.write_text(json.dumps(document, indent=1) + "\n")


def _require_every_point(job: JobSpec) -> None:
    for pattern, rule in job.points:
        if rule.said().keys() != {"upper_bound"}:
            why = "the paper quantizes every point alike; here a rule gives an upper_bound only"
            raise InvalidSpec(f"points.{pattern}", why)


def _tell(line: Line) -> None:
    accuracy = f"{100 * line.hits.accuracy:.2f} %"
    print(f"table {line.table}, {line.method}, {line.label}: {accuracy}", file=sys.stderr)  # noqa: T201  # progress


if __name__ == "__main__":
    app()
