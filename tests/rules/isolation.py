"""Imports our code with only the distributions that some extras bring, in a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import distribution
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = "bitfloor"

#: Refuses what the extras do not bring, as if it were not installed; "a.*" walks all of a.
PROGRAM = """
import importlib, importlib.util, pkgutil, sys

folder, absent, skipped, wanted = (argument.split(",") for argument in sys.argv[1:])

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
# whoever only asks is told no; the finder above would raise
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name.partition(".")[0] in absent else there(name, package)
)
sys.path.insert(0, folder[0])
for name in wanted:
    module = importlib.import_module(name.removesuffix(".*"))
    assert module.__file__.startswith(folder[0]), module.__file__
    print(module.__name__)
    if name.endswith(".*"):
        for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
            if found.name.rpartition(".")[2] != "__main__" and found.name not in skipped:
                print(importlib.import_module(found.name).__name__)
"""


def imported(
    modules: Iterable[str], *, extras: Iterable[str], folder: Path, skip: Iterable[str] = ()
) -> set[str]:
    """Import `modules` of `folder`; "a.*" also imports all that a holds. Raise if one fails."""
    absent = sorted(set(_distributions()) - brought_by(extras))
    arguments = [str(folder), ",".join(absent), ",".join(skip), ",".join(modules)]
    # -P keeps the working directory off the path: only `folder` is to be found
    command = [sys.executable, "-P", "-c", PROGRAM, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise ImportError(done.stderr)
    return set(done.stdout.split())


def named_by(extras: Iterable[str]) -> set[str]:
    """Return the distributions that these extras, and those they refer to, ask for by name."""
    asked = set(extras)
    wanted = [requirement for requirement in _requirements(PROJECT) if _applies(requirement, asked)]
    within = {extra for w in wanted if _canonical(w.name) == PROJECT for extra in w.extras}
    names = {_canonical(w.name) for w in wanted} - {PROJECT}
    return names | named_by(within) if within - asked else names


def brought_by(extras: Iterable[str]) -> set[str]:
    """Return the top-level modules that `pip install bitfloor[extras]` would bring."""
    wanted = set(_closure(PROJECT, frozenset(extras)))
    return {
        module
        for module, names in _distributions().items()
        if any(_canonical(name) in wanted for name in names)
    }


def _closure(name: str, extras: frozenset[str]) -> Iterator[str]:
    """The distribution and everything it requires, directly or not, on this machine."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(name, extras)]
    while todo:
        name, extras = todo.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            yield name
            todo += [
                (_canonical(wanted.name), frozenset(wanted.extras))
                for wanted in _requirements(name)
                if _applies(wanted, extras)
            ]


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras})


@cache
def _requirements(name: str) -> tuple[Requirement, ...]:
    try:
        return tuple(Requirement(text) for text in distribution(name).requires or ())
    except PackageNotFoundError:
        return ()  # an optional part for another machine


def distributions_of(module: str) -> set[str]:
    """Return what installs a top-level module here; nothing for the standard library's."""
    return {_canonical(name) for name in _distributions().get(module, ())}


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
