"""Where words go: data to stdout, talk to stderr, and no control character to the terminal."""

import errno
import json
import os
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
from service.words import bytes_in_words

#: columns where stdout is no terminal: wide enough that a pipe sees whole ids
PIPE_WIDTH = 200

#: of a file that may be written in a folder that may not, or that something is mounted on
_IN_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY})


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
    """Write the file whole, or raise FileUnusable and leave what was there as it was."""
    try:
        if path.exists() and not path.is_file():
            # a pipe or a device
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        why, full = error.strerror or str(error), is_full(error)
        if full:
            why = f"{why}, and {bytes_in_words(len(content))} are needed"
        raise FileUnusable(path, why, full=full) from error


def is_full(error: OSError) -> bool:
    """Tell whether the system refused to write for want of room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), "wb") as file:
            file.write(content)
            if path.exists():
                part.chmod(path.stat().st_mode)
        part.replace(path)
    except OSError as error:
        if error.errno not in _IN_PLACE or not path.exists():
            raise
        path.write_bytes(content)
    finally:
        part.unlink(missing_ok=True)


def plain(text: object) -> str:
    """Return the text on one line without control characters: it cannot drive a terminal."""
    flat = " ".join(str(text).split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in flat
    )
