"""The rules on borders: who reads the clock, files and the environment, and what tests may do."""

import ast
import re
from collections.abc import Iterator

from tests.rules.source import PACKAGES
from tests.rules.source import Breach
from tests.rules.source import Source

#: The standard library's doors to the outside; search goes through none.
OUTSIDE = {
    "asyncio", "ctypes", "datetime", "glob", "io", "logging", "multiprocessing", "os", "pathlib",
    "random", "secrets", "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
OUTSIDE_CALLS = {
    "open", "input", "print", "exec", "eval", "breakpoint", "__import__",
    "torch.load", "torch.save", "torch.seed", "torch.manual_seed", "torch.cuda.manual_seed_all",
    "numpy.load", "numpy.save", "numpy.savez", "numpy.loadtxt", "numpy.fromfile",
}  # fmt: skip
#: Draw from a hidden global generator unless handed one.
NEED_GENERATOR = {"torch.rand", "torch.randn", "torch.randint", "torch.randperm", "torch.bernoulli"}
#: Seeded from the clock unless handed a seed.
NEED_SEED = {"numpy.random.default_rng", "Random"}
SEEDED = {*NEED_SEED, "numpy.random.Generator", "numpy.random.SeedSequence"}

READS_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}
ENTRY_POINTS = (
    "migrations/env.py",
    "service/cli",
    "service/settings.py",
    "workers/__main__.py",
    "workers/settings.py",
)

MOCKS = {"unittest.mock", "mock", "pytest_mock"}
DIRECTIVE = re.compile(r"# (noqa|type: ignore|pragma: no cover)(?P<rest>.*)")
#: what of a directive is no reason: its codes, and signs
CODES = re.compile(r"\b[A-Z]+[0-9]+\b|\[[^\]]*\]|[\s:#,.–-]")
SHORTEST_REASON = 8  # letters


def search_is_pure(source: Source) -> Iterator[Breach]:
    """`search` reads no clock, file or environment and draws no unseeded number."""
    if not source.inside("search"):
        return
    for line, name in imports(source):
        if name.split(".")[0] in OUTSIDE and name != "random.Random":
            yield Breach(source.path, line, "impure", f"search does not import {name}")
    for call, name in calls(source):
        if why := _impure(name, call):
            yield Breach(source.path, call.lineno, "impure", f"{name} {why}")


def environment_at_the_door(source: Source) -> Iterator[Breach]:
    """Entry points read the environment; everything else is handed values."""
    if not source.inside(*PACKAGES) or source.inside(*ENTRY_POINTS):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in READS_ENVIRONMENT:
            yield Breach(source.path, node.lineno, "environment", "read by entry points only")
    for line, name in imports(source):
        if name in READS_ENVIRONMENT or name == "pydantic_settings.BaseSettings":
            yield Breach(source.path, line, "environment", "read by entry points only")


def sync_everywhere(source: Source) -> Iterator[Breach]:
    """No `async def` outside the tests: one store serves every process."""
    if source.inside("tests"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef):
            yield Breach(source.path, node.lineno, "async", f"{node.name} is to be a plain def")


def no_doubles(source: Source) -> Iterator[Breach]:
    """Tests pass functions and use the real thing; nothing is replaced behind a back."""
    for line, name in imports(source):
        if any(name == mock or name.startswith(f"{mock}.") for mock in MOCKS):
            yield Breach(source.path, line, "double", f"{name}: pass a function instead")
    for call, name in calls(source):
        if name in {"monkeypatch.setattr", "monkeypatch.setitem", "monkeypatch.delattr"}:
            yield Breach(source.path, call.lineno, "double", f"{name}: pass a function instead")


def migrations_stand_alone(source: Source) -> Iterator[Breach]:
    """A migration describes its own time, so it imports none of today's code."""
    if not source.inside("migrations/versions"):
        return
    for line, name in imports(source):
        if name.split(".")[0] in PACKAGES:
            yield Breach(source.path, line, "frozen", f"a migration does not import {name}")


def reasons_beside_directives(source: Source) -> Iterator[Breach]:
    """Every noqa, type: ignore and pragma: no cover is followed by its reason."""
    for number, comment in source.comments:
        found = DIRECTIVE.search(comment)
        if found and len(CODES.sub("", found["rest"])) < SHORTEST_REASON:
            yield Breach(source.path, number, "reason", f"say why after `{found[0].strip()}`")


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Every imported name with its module, as (line, dotted name)."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call of something with a name, as (call, dotted name); np stands for numpy."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            yield node, re.sub(r"^np\.", "numpy.", name)


def dotted(node: ast.AST) -> str:
    """Return "a.b.c" of a chain of attributes, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def _impure(name: str, call: ast.Call) -> str | None:
    if name in OUTSIDE_CALLS:
        return "reaches outside"
    if name in NEED_GENERATOR and all(keyword.arg != "generator" for keyword in call.keywords):
        return "draws from a global generator; pass generator="
    if name in NEED_SEED and not (call.args or call.keywords):
        return "is seeded from the clock; pass a seed"
    if name.startswith("numpy.random.") and name not in SEEDED:
        return "draws from a global generator; use default_rng(seed)"
    return None
