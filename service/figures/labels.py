"""Names of layers, short enough to stand at an axis and escaped for Plotly, which reads tags."""

from collections.abc import Sequence
from html import escape


def labels(names: Sequence[str], *, most: int) -> list[str]:
    """Return a label of at most so many characters per name.

    Where a name is longer, what all of them begin and end with is left out first.
    """
    if all(len(name) <= most for name in names):
        return [escape(name, quote=False) for name in names]
    parts = [name.split(".") for name in names]
    shortest = min((len(part) for part in parts), default=1) - 1
    head = _shared(parts, most=shortest)
    tail = _shared([part[::-1] for part in parts], most=shortest - head)
    if len(names) == 1:
        head = tail = 0
    return [_short(".".join(part[head : len(part) - tail]), most=most) for part in parts]


def _shared(parts: Sequence[Sequence[str]], *, most: int) -> int:
    """Return how many first parts all have in common."""
    count = 0
    while count < most and all(part[count] == parts[0][count] for part in parts):
        count += 1
    return count


def _short(name: str, *, most: int) -> str:
    if len(name) > most:
        half = most // 2
        name = f"{name[: most - half - 1]}…{name[-half:]}"
    # Plotly knows no &quot;
    return escape(name, quote=False)
