"""What the rules read: the project's own files, and what they say about a breach."""

import ast
import io
import re
import tokenize
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bitfloor", "search", "service", "workers", "migrations")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "tools")
TEXT = {".py", ".toml", ".txt", ".md", ".yml", ".yaml", ".html", ".css", ".js", ".sql", ".json"}

#: `# rule: long function, because its steps are the protocol's` lets that line off that rule.
EXCUSE = re.compile(r"# rule:(?P<rest>.*)")
REASON = re.compile(r" (?P<rule>[a-z ]+), because \S.{9,}")


@dataclass(frozen=True)
class Source:
    """A Python file; `path` is relative to the project, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The file's lines; line n of a breach is `lines[n - 1]`."""
        return tuple(self.text.splitlines())

    @cached_property
    def comments(self) -> tuple[tuple[int, str], ...]:
        """Every comment, as (line, text from its # on)."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return tuple((t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT)

    def inside(self, *prefixes: str) -> bool:
        """Tell whether the file is one of these, or lies under one of them."""
        return any(self.path == prefix or self.path.startswith(f"{prefix}/") for prefix in prefixes)


@dataclass(frozen=True, order=True)
class Breach:
    """A place where a rule does not hold."""

    path: str
    line: int
    #: the name an excuse has to give
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.sentence}"


Rule = Callable[[Source], Iterable[Breach]]


def python_files() -> Iterator[Source]:
    """Read every Python file of the project, in the order of their paths."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text())


def text_files() -> Iterator[tuple[str, str]]:
    """Read every text file of the project, as (path, text)."""
    loose = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".coverage"]
    deep = [path for top in (*FOLDERS, "docs", ".ci") for path in (ROOT / top).rglob("*")]
    for path in sorted(loose + deep):
        if path.is_file() and (path.suffix in TEXT or not path.suffix):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def breaches(source: Source, rules: Iterable[Rule]) -> list[Breach]:
    """Return what breaks the rules and has no excuse, and excuses that are void or idle."""
    found = [breach for rule in rules for breach in rule(source)]
    excuses = dict(_excuses(source))
    standing = [breach for breach in found if excuses.get(breach.line) != breach.rule]
    used = {(breach.line, breach.rule) for breach in found}
    for line, rule in excuses.items():
        if rule is None:
            standing.append(Breach(source.path, line, "excuse", "say `# rule: NAME, because WHY`"))
        elif (line, rule) not in used:
            standing.append(Breach(source.path, line, "excuse", f"{rule}: nothing here to excuse"))
    return sorted(standing)


def _excuses(source: Source) -> Iterator[tuple[int, str | None]]:
    for number, comment in source.comments:
        if not comment.startswith("#:") and (excuse := EXCUSE.search(comment)):
            reason = REASON.fullmatch(excuse["rest"])
            yield number, reason["rule"] if reason else None
