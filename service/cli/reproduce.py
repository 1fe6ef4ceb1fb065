"""`bitfloor reproduce`: the paper's tables and figures for a network, on this machine."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from search.errors import InvalidSpec
from service.cli import needs
from service.cli import spec_file
from service.cli.errors import FieldUnusable
from service.cli.errors import FileUnusable
from service.cli.errors import listed
from service.cli.output import say
from service.cli.output import write
from service.store import codec

#: where nothing is said; the quantizers are what bitfloor's own search chooses from
DEFAULTS: Mapping[str, Any] = {
    "tolerance": 0.02,
    "quantizers": ["affine", "codebook", "codebook_bounded"],
}
#: of a spec, what the experiments depend on
FIELDS = (
    *("model", "weights", "dataset", "metric", "tolerance", "seed", "budget", "sampler"),
    *("quantizers", "bit_widths", "points", "splits", "preprocessing"),
)
ROWS, PAGE, TEXT = "rows.json", "report.html", "report.md"


def reproduce(  # noqa: PLR0913  # an option is a parameter
    spec: Annotated[
        str | None,
        typer.Argument(metavar="[SPEC.yaml]", help='As for submit; "-" is stdin.'),
    ] = None,
    *,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a field of the spec; repeatable."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Such as torchvision/vgg16.")] = None,
    data: Annotated[str | None, typer.Option(help="The dataset.")] = None,
    weights: Annotated[str | None, typer.Option(help="As in a spec.")] = None,
    metric: Annotated[str | None, typer.Option(help="top1 or top5; the paper has top5.")] = None,
    tolerance: Annotated[float | None, typer.Option(help="δ, absolute; 0.02 by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same rows.")] = None,
    budget: Annotated[int | None, typer.Option(help="Trials of bitfloor's own search.")] = None,
    method_budget: Annotated[
        int, typer.Option(min=1, help="Trials for each method of the paper.")
    ] = 40,
    output: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("reproduction"),
) -> int:
    """Redo the paper's experiments: report.html, report.md and rows.json."""
    needs.require("torch", extra="worker")
    needs.require("plotly", extra="service")
    options = {
        "model": model,
        "dataset": data,
        "weights": weights,
        "metric": metric,
        "tolerance": tolerance,
        "seed": seed,
        "budget": budget,
    }
    said = spec_file.read(spec, overrides or ())
    said |= {name: value for name, value in options.items() if value is not None}
    request = _checked({**DEFAULTS, **said})
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(output, error.strerror or str(error)) from error
    command = [sys.executable, "-m", "workers.reproduce", json.dumps(request), str(output / ROWS)]
    # it tells its progress and its errors itself
    ended = subprocess.run(  # noqa: S603  # our own program
        [*command, "--budget", str(method_budget)], check=False
    )
    if ended.returncode == 0:
        _render(output)
    return ended.returncode


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request as it is stored; raise FieldUnusable for what it cannot hold."""
    for name in said:
        if name not in FIELDS:
            why = f"the experiments do not depend on it; they do on {listed(FIELDS)}"
            raise FieldUnusable(name, why)
    with needs.installed("service"):
        from pydantic import ValidationError

        from service.api.submission import JobSubmission
        from service.api.validation import field_errors
    try:
        submission = JobSubmission.model_validate(said).to_value(None)
    except ValidationError as error:
        wrong = field_errors({**one, "loc": ("body", *one["loc"])} for one in error.errors())
        raise FieldUnusable(wrong[0]["field"], wrong[0]["message"]) from None
    except InvalidSpec as error:
        raise FieldUnusable(error.field, str(error).removeprefix(f"{error.field}: ")) from None
    return codec.spec_document(submission.spec)


def _render(output: Path) -> None:
    from service.report import reproduction

    found = json.loads((output / ROWS).read_text(encoding="utf-8"))
    write(output / PAGE, reproduction.render(found).encode())
    write(output / TEXT, reproduction.markdown(found).encode())
    say(f"saved {output / PAGE}, {output / TEXT} and {output / ROWS}")
