"""Where words go: data to stdout, talk to stderr, and no control character to the terminal."""

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from rich.console import Console
from rich.console import RenderableType

from service.cli.errors import FileUnusable

#: columns where stdout is no terminal: wide enough that a pipe sees whole ids
PIPE_WIDTH = 200


class Format(StrEnum):
    """How a command prints its data."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def console(*, stderr: bool = False) -> Console:
    """Return a console over the stream as it is now; only a terminal gets colours."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def show(table: RenderableType) -> None:
    """Print a table for people to stdout."""
    console().print(table)


def say(sentence: str) -> None:
    """Tell people something on stderr."""
    print(plain(sentence), file=sys.stderr, flush=True)


def emit(document: object, form: Format) -> None:
    """Print exactly one JSON or YAML document to stdout."""
    if form is Format.YAML:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    sys.stdout.write(text)
    sys.stdout.flush()


def document_of(answer: BaseModel) -> Mapping[str, Any]:
    """Return the answer as the server's JSON had it, unknown fields included."""
    return answer.model_dump(mode="json")


def verbatim(raw: bytes) -> None:
    """Write the bytes to stdout as they are; a terminal gets its line ended."""
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)
    if sys.stdout.isatty():
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def write(path: Path, content: bytes) -> None:
    """Write the file, or raise FileUnusable."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FileUnusable(path, error.strerror or str(error)) from error


def plain(text: object) -> str:
    """Return the text on one line without control characters: it cannot drive a terminal."""
    flat = " ".join(str(text).split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in flat
    )
