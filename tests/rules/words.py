"""The rule on words: no file speaks of the workshop it was made in."""

import re
from collections.abc import Iterator

from tests.rules.source import Breach

FOREIGN = {
    "a package registry's address": re.compile(
        r"\b(pypi|npmjs|anaconda|debian|crates|pythonhosted)\.(org|io|com)\b"
    ),
    "a folder of one machine": re.compile(r"(?<![\w.])/work(?![\w-])|\.\./shared|CONTRACT\.md"),
    "a number that only a tracker knows": re.compile(r"(?i)issue ?#\d"),
}


def foreign_words(path: str, text: str) -> Iterator[Breach]:
    """No registry's address, no path of a machine, no number of a tracker."""
    if path.startswith("tests/rules/"):
        return  # spells out what it looks for
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in FOREIGN.items():
            if found := pattern.search(line):
                yield Breach(path, number, "words", f"{found[0]!r} is {what}")
