"""`python -m workers.doctor OUT`: what this machine would evaluate on, as JSON findings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from service import findings
from service.findings import Finding
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    out: Annotated[Path, typer.Argument(help="the file to write")],
    *,
    model_root: Annotated[str | None, typer.Option(help="folder of weights and programs")] = None,
    data_root: Annotated[str | None, typer.Option(help="folder of datasets")] = None,
    cache_dir: Annotated[str | None, typer.Option(help="folder of decoded images")] = None,
    ray: Annotated[str | None, typer.Option(help="address of a Ray cluster")] = None,
) -> None:
    """Look at device, cache and roots, and write what was found."""
    roots = {"model_root": model_root, "data_root": data_root, "cache_dir": cache_dir}
    found = list(_found({k: v for k, v in roots.items() if v is not None}, ray=ray))
    out.write_text(json.dumps([finding.document() for finding in found]), encoding="utf-8")


def _found(roots: dict[str, str], *, ray: str | None) -> Iterator[Finding]:
    try:
        settings = WorkerSettings(**roots)  # type: ignore[arg-type]  # validated by pydantic
    except ValidationError as error:
        first = error.errors()[0]
        name = f"BITFLOOR_{'_'.join(map(str, first['loc'])).upper()}"
        yield findings.failure(
            "settings", f"{name}: {first['msg']}", remedy="change or unset the variable"
        )
        return
    from workers import checkup  # noqa: PLC0415  # loads torch

    yield from checkup.look(settings, ray=ray)


if __name__ == "__main__":
    app()
