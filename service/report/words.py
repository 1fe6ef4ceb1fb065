"""Numbers as people read them, the same in the terminal and in the report."""

from collections.abc import Iterable
from typing import Any

BYTE_UNITS = (("MiB", 1024 * 1024), ("KiB", 1024), ("B", 1))


def byte_unit(count: float) -> tuple[str, int]:
    """Return the largest unit, with its size in bytes, in which the count is at least 1."""
    return next((unit for unit in BYTE_UNITS if count >= unit[1]), BYTE_UNITS[-1])


def bytes_in_words(count: float) -> str:
    """Return a number of bytes with a unit that keeps it readable."""
    unit, size = byte_unit(count)
    return f"{count / size:,.{0 if size == 1 else 2}f} {unit}"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share in [0, 1] as percent, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def points(share: float) -> str:
    """Return a difference of two shares in percentage points."""
    return f"{100 * share:.2f} points"


def metric_in_words(metric: str) -> str:
    """Return what a metric is called in a sentence; top-1 is what people call accuracy."""
    return {"top1": "accuracy", "top5": "top-5 accuracy"}.get(metric, metric)


def in_a_row(parts: Iterable[Any]) -> str:
    """Return "a, b and c"."""
    *most, last = [str(part) for part in parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last
