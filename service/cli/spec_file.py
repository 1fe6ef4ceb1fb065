"""Reads a search request from YAML; what its fields may hold is the server's to judge."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from service.cli.errors import OverrideUnusable
from service.cli.errors import SpecUnusable


def read(path: str | None, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the request in the file ("-" is stdin), with NAME=VALUE overrides applied.

    Without a file the overrides are all there is.

    Raises:
        SpecUnusable: there is no such file, or it holds no YAML mapping of what JSON can hold.
        OverrideUnusable: an override does not read as NAME=VALUE.

    """
    spec = {} if path is None else _mapping(path, _text(path))
    for override in overrides:
        name, value = _override(override)
        spec[name] = value
    _reject_what_json_lacks(path or "--set", spec)
    return spec


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SpecUnusable(path, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise SpecUnusable(path, "is not UTF-8 text") from error


def _mapping(path: str, text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise SpecUnusable(path, f"{where}{error.problem or 'no YAML'}") from error
    except yaml.YAMLError as error:
        raise SpecUnusable(path, "no YAML: it holds characters that YAML forbids") from error
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise SpecUnusable(path, f"holds a {type(document).__name__}, no mapping of names")
    return document


def _override(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise OverrideUnusable(text)
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise OverrideUnusable(text) from None


def _reject_what_json_lacks(path: str, value: object, *, name: str = "") -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _reject_what_json_lacks(path, inner, name=f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            _reject_what_json_lacks(path, inner, name=name)
    elif not isinstance(value, str | int | float | bool | None):
        raise SpecUnusable(path, f"{name} is a {type(value).__name__}; put it in quotes")
    elif isinstance(value, float) and value - value != 0:
        raise SpecUnusable(path, f"{name} is {value}, no finite number")
