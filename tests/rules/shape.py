"""The rules on shape: how long, how many, in which order, and what every module says first."""

import ast
import re
from collections.abc import Iterator
from math import ceil

from tests.rules.borders import dotted
from tests.rules.source import PACKAGES
from tests.rules.source import Breach
from tests.rules.source import Source

LONGEST_FUNCTION = 40  # lines of body, docstring apart
LONGEST_FILE = 250  # lines
LONGEST_TEST_FILE = 400  # lines: a class for every function of a file that may have 250
MOST_POSITIONAL = 2  # parameters
P90_FUNCTION = 25  # lines

#: Not counted: the receiver, and what a store's or a torch function is handed first by convention.
FIRST = {"self", "cls", "engine", "connection", "ctx"}

#: Signatures that the language lays down.
LANGUAGE = {"__exit__", "__setitem__", "__get__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def short_functions(source: Source) -> Iterator[Breach]:
    """Bodies of at most LONGEST_FUNCTION lines."""
    for function in functions(source):
        if (length := body_lines(function)) > LONGEST_FUNCTION:
            sentence = f"{function.name} has {length} lines, at most {LONGEST_FUNCTION}"
            yield Breach(source.path, function.lineno, "long function", sentence)


def short_files(source: Source) -> Iterator[Breach]:
    """Files of at most LONGEST_FILE lines."""
    limit = LONGEST_TEST_FILE if source.inside("tests") else LONGEST_FILE
    if (length := len(source.lines)) > limit:
        yield Breach(source.path, 1, "long file", f"has {length} lines, at most {limit}")


def few_positional(source: Source) -> Iterator[Breach]:
    """Past MOST_POSITIONAL parameters, keyword-only, where the signature is ours to choose."""
    if not source.inside(*PACKAGES):
        return  # pytest hands in fixtures by name
    dictated = set(_dictated(source))
    for function in functions(source):
        names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
        count = len(names) - (bool(names) and names[0] in FIRST)
        if count > MOST_POSITIONAL and function not in dictated:
            sentence = f"{function.name} takes {count} by position, at most {MOST_POSITIONAL}"
            yield Breach(source.path, function.lineno, "positional", sentence)


def module_promise(source: Source) -> Iterator[Breach]:
    """An `__init__.py` is empty; any other file opens with one sentence, its promise."""
    if source.path.endswith("__init__.py"):
        if source.text.strip():
            yield Breach(source.path, 1, "init", "an __init__.py is empty")
        return
    first = (ast.get_docstring(source.tree) or "").partition("\n\n")[0]
    if not first.endswith(".") or re.search(r"\.\s+[A-Z]", first):
        yield Breach(source.path, 1, "promise", "open with a docstring of one sentence")


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of the file, nested ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """Return how many lines the body spans, its docstring apart."""
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if documented else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def p90(lengths: list[int]) -> int:
    """Return the length that nine functions in ten do not exceed."""
    return sorted(lengths)[ceil(0.9 * len(lengths)) - 1]


def _dictated(source: Source) -> Iterator[Function]:
    """Methods of a class that extends somebody else's, and the language's own."""
    foreign = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if getattr(node, "module", alias.name).partition(".")[0] not in {*PACKAGES, "typing"}
    }
    for owner in ast.walk(source.tree):
        if isinstance(owner, ast.ClassDef):
            extends = {dotted(base).partition(".")[0] for base in owner.bases} & foreign
            for method in owner.body:
                if isinstance(method, Function) and (extends or method.name in LANGUAGE):
                    yield method
