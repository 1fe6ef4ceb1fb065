"""`bitfloor reproduce`: the paper's tables and figures for a network, on this machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli import needs
from service.cli.errors import FileUnusable
from service.cli.output import say

#: what bitfloor's own search chooses from, beside the paper's methods
QUANTIZERS = ("affine", "codebook", "codebook_bounded")
ROWS, PAGE, TEXT = "rows.json", "report.html", "report.md"


def reproduce(  # noqa: PLR0913  # an option is a parameter
    *,
    model: Annotated[str, typer.Option(help="As in a spec, such as torchvision/vgg16.")],
    data: Annotated[str, typer.Option(help="The dataset, as in a spec.")],
    weights: Annotated[str | None, typer.Option(help="As in a spec.")] = None,
    metric: Annotated[str, typer.Option(help="top1 or top5; the paper has top5.")] = "top1",
    tolerance: Annotated[float, typer.Option(help="δ, absolute.")] = 0.02,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 0,
    budget: Annotated[int, typer.Option(help="Trials of bitfloor's own search.")] = 120,
    method_budget: Annotated[int, typer.Option(help="Trials for each method of the paper.")] = 40,
    output: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("reproduction"),
) -> int:
    """Redo the paper's experiments: report.html, report.md and rows.json."""
    needs.require("torch", extra="worker")
    needs.require("plotly", extra="service")
    request = {
        "model": model,
        "dataset": data,
        "weights": weights,
        "metric": metric,
        "tolerance": tolerance,
        "seed": seed,
        "budget": budget,
        "quantizers": QUANTIZERS,
    }
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


def _render(output: Path) -> None:
    from service.report import reproduction

    found = json.loads((output / ROWS).read_text(encoding="utf-8"))
    (output / PAGE).write_text(reproduction.render(found), encoding="utf-8")
    (output / TEXT).write_text(reproduction.markdown(found), encoding="utf-8")
    say(f"saved {output / PAGE}, {output / TEXT} and {output / ROWS}")
