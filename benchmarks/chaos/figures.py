"""What a fault came to: how often it was made to happen, what was seen, and whether that holds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

HEAD = "| fault | database | done | seen | held |\n|---|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One number that was seen, and the bound that must hold of it; without one it only tells."""

    what: str
    seen: float
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""

    @property
    def held(self) -> bool:
        """Tell whether the number is within its bounds; one that is none is not."""
        return (self.at_most is None or self.seen <= self.at_most) and (
            self.at_least is None or self.seen >= self.at_least
        )

    def __str__(self) -> str:
        told = f"{self.what} {number(self.seen)}{self.unit}"
        bounds = [
            f"{sign} {number(bound)}"
            for sign, bound in (("≤", self.at_most), ("≥", self.at_least))
            if bound is not None and not bound == self.seen == 0
        ]
        told += f" ({', '.join(bounds)})" if bounds else ""
        return told if self.held else f"**{told}**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one fault came to on one database."""

    fault: str
    database: str
    #: how often, and to what it happened
    done: str
    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        """Tell whether all that must hold did."""
        return all(check.held for check in self.checks)

    @property
    def broken(self) -> tuple[str, ...]:
        """What did not hold, in words."""
        return tuple(str(check) for check in self.checks if not check.held)


def number(value: float) -> str:
    """Return the number as people write it: whole ones whole, others with two figures or more."""
    if math.isfinite(value) and value == int(value):
        return f"{int(value):,}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def failed(fault: str, database: str, *, error: Exception) -> Figure:
    """Return what a fault came to that could not be made to its end."""
    why = f"{type(error).__name__}: {error}".partition("\n")[0].replace("|", "\\|")
    ended = Check(what=f"ended with `{why}`", seen=1, at_most=0)
    return Figure(fault=fault, database=database, done="not to its end", checks=(ended,))


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table."""
    return "\n".join([HEAD, *map(row, figures)])


def row(figure: Figure) -> str:
    """Return the table's line of one."""
    cells = (
        figure.fault,
        figure.database,
        figure.done,
        "; ".join(map(str, figure.checks)),
        "yes" if figure.held else "**no**",
    )
    return f"| {' | '.join(cells)} |"
