"""`python -m workers.verify OUT`: a best document, read from stdin, is evaluated again.

The verdict is one JSON document. It ends with 2 and a line that names the field if the document
cannot be used, and with 1 and a line if what it names cannot be loaded here.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from search.errors import SearchError
from search.errors import UnusableDocument
from workers import openmp  # noqa: F401  # before anything that loads torch
from workers.errors import WorkerError
from workers.settings import WorkerSettings

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(help="the file to write")],
    *,
    dataset: Annotated[str | None, typer.Option(help="verify on all images of this one")] = None,
    slack: Annotated[int, typer.Option(help="images by which a count may differ")] = 0,
    model_root: Annotated[str | None, typer.Option(help="folder of weights and programs")] = None,
    data_root: Annotated[str | None, typer.Option(help="folder of datasets")] = None,
) -> None:
    """Evaluate, certify and compare, and write the verdict."""
    roots = {"model_root": model_root, "data_root": data_root}
    document = json.load(sys.stdin)
    try:
        settings = WorkerSettings(**{k: v for k, v in roots.items() if v is not None})  # type: ignore[arg-type]  # validated by pydantic
        verdict = _verdict(document, settings, dataset=dataset, slack=slack)
    except UnusableDocument as error:
        raise _told(error, 2) from None
    except (SearchError, WorkerError, ValidationError) as error:
        raise _told(error, 1) from None
    out.write_text(json.dumps(verdict, allow_nan=False))


def _verdict(
    document: dict[str, object], settings: WorkerSettings, *, dataset: str | None, slack: int
) -> dict[str, object]:
    from workers import verification  # noqa: PLC0415  # loads torch
    from workers import workbench  # noqa: PLC0415  # loads torch
    from workers.datasets.catalog import surroundings  # noqa: PLC0415  # loads torch
    from workers.models.registry import open_models  # noqa: PLC0415  # loads torch

    return verification.verify(
        verification.Verification(
            document=document,
            models=open_models(settings.model_root),
            around=surroundings(settings),
            device=workbench.choose_device(settings.device),
            batch=settings.batch,
            slack=slack,
            dataset=dataset,
        )
    )


def _told(error: Exception, status: int) -> typer.Exit:
    sentence = " ".join(str(error).split())
    print(f"error: {sentence}", file=sys.stderr)  # noqa: T201  # one line for people
    return typer.Exit(status)


if __name__ == "__main__":
    app()
