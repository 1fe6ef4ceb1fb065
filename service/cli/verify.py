"""`bitfloor verify`: an allocation evaluated and certified again, on this machine, by no server."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Annotated
from typing import Any

import typer
from rich.table import Table

from service.answers import CERTIFIED
from service.cli import gate
from service.cli import junit as xml
from service.cli import needs
from service.cli import stated
from service.cli import tables
from service.cli.errors import ExitStatus
from service.cli.errors import WorkerDied
from service.cli.junit import Case
from service.cli.junit import Suite
from service.cli.options import DataRoot
from service.cli.options import Junit
from service.cli.options import ModelRoot
from service.cli.options import Output
from service.cli.output import Format
from service.cli.output import emit
from service.cli.output import say
from service.cli.output import show
from service.cli.output import write
from service.words import metric_in_words
from service.words import percent
from service.words import points


def verify(  # noqa: PLR0913 - an option is a parameter
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG.json", help='What "best --format json" prints; "-" is stdin.'
        ),
    ],
    *,
    dataset: Annotated[
        str | None, typer.Option(help="Judge on all images of this one instead.")
    ] = None,
    slack: Annotated[
        int, typer.Option(min=0, metavar="IMAGES", help="Let a count differ by so many.")
    ] = 0,
    model_root: ModelRoot = None,
    data_root: DataRoot = None,
    form: Output = Format.TABLE,
    junit: Junit = None,
) -> None:
    """Evaluate an allocation again; exit 9 if it is below the floor, 10 if figures differ."""
    document = stated.read(config)
    needs.require("torch", extra="worker")
    options: dict[str, object | None] = {
        "--dataset": dataset,
        "--slack": slack,
        "--model-root": model_root,
        "--data-root": data_root,
    }
    began = datetime.now(UTC)
    if sys.stderr.isatty():  # it may take a while
        say(f"evaluating {document['spec']['model']} on {dataset or document['spec']['dataset']}")
    verdict = _verdict(document, options)
    if form is Format.TABLE:
        show(_figures(verdict))
    else:
        emit(verdict, form)
    for line in _sentences(verdict, config):
        say(line)
    if junit:
        write(junit, xml.render(_suite(verdict, began=began)))
    raise typer.Exit(_status(verdict))


def _verdict(document: Mapping[str, Any], options: Mapping[str, object | None]) -> dict[str, Any]:
    """Return what a process with torch finds; leave with its status where it cannot tell."""
    given = [part for name, value in options.items() if value is not None for part in (name, value)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", "workers.verify", str(out), *map(str, given)]
        # it tells its errors itself
        ended = subprocess.run(  # noqa: S603 - our own program
            command, input=json.dumps(document).encode(), check=False
        )
        if ended.returncode < 0:
            raise WorkerDied(ended.returncode)
        if ended.returncode:
            raise typer.Exit(ended.returncode)
        verdict: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return verdict


def _differing(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [figure for figure in verdict["figures"] if not figure["agrees"]]


def _status(verdict: Mapping[str, Any]) -> ExitStatus:
    if verdict["judgement"] != CERTIFIED:
        return ExitStatus.BELOW_FLOOR
    return ExitStatus.FIGURES_DIFFER if _differing(verdict) else ExitStatus.OK


def _evidence(verdict: Mapping[str, Any]) -> str:
    checked, metric = verdict["certification"], metric_in_words(verdict["metric"])
    floor, unquantized = percent(checked["floor"], 2), percent(checked["float_accuracy"], 2)
    return (
        f"{verdict['judgement']}: {metric} {percent(checked['accuracy'], 2)} on "
        f"{checked['images']} images of {verdict['dataset']}, floor {floor}, float model "
        f"{unquantized}; at {percent(checked['confidence'], 0)} confidence the drop is at most "
        f"{points(checked['drop_upper_bound'])} (p = {checked['p_value']:.2g})"
    )


def _sentences(verdict: Mapping[str, Any], config: str) -> Iterator[str]:
    yield _evidence(verdict)
    if verdict["images_needed"]:
        yield f"about {verdict['images_needed']:,} images would do, at the rates seen here"
    differing, compared = _differing(verdict), len(verdict["figures"])
    if differing:
        yield f"{len(differing)} of {compared} figures are not those of {config}:"
        yield from (f"  {figure['name']}: {_difference(figure)}" for figure in differing)
    else:
        yield f"all {compared} figures that can be compared are those of {config}"


def _difference(figure: Mapping[str, Any]) -> str:
    return f"{figure['stated']:.10g} is stated, {figure['found']:.10g} was found"


def _figures(verdict: Mapping[str, Any]) -> Table:
    table = tables.plain_table("figure", "stated", "found", "")
    for figure in verdict["figures"]:
        agrees = "" if figure["agrees"] else "differs"
        table.add_row(figure["name"], f"{figure['stated']:.6g}", f"{figure['found']:.6g}", agrees)
    return table


def _suite(verdict: Mapping[str, Any], *, began: datetime) -> Suite:
    evidence = _evidence(verdict)
    fault: Case = Case(name=gate.CERTIFICATE, details=(evidence,))
    if verdict["judgement"] != CERTIFIED:
        fault = Case(name=gate.CERTIFICATE, fault="failure", why=evidence)
    cases = [fault]
    for figure in verdict["figures"]:
        why = "" if figure["agrees"] else _difference(figure)
        cases.append(Case(name=figure["name"], fault="failure" if why else None, why=why))
    facts = ("model", "weights", "dataset", "metric", "tolerance", "judgement")
    return Suite(
        name=f"bitfloor verify {verdict['model']} on {verdict['dataset']}",
        cases=cases,
        properties={name: verdict[name] for name in facts if verdict[name] is not None}
        | gate.figures(verdict),
        seconds=(datetime.now(UTC) - began).total_seconds(),
        at=began,
    )
