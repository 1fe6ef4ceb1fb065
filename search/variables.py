"""What a search decides at once: a point, or points that are tied to share one option."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from search.errors import EmptySearchSpace
from search.rules import Menu


@dataclass(frozen=True, slots=True)
class Variable:
    """One decision."""

    #: one, or those that are tied, in network order
    points: tuple[str, ...]
    #: what they may choose from
    menu: Menu

    @property
    def name(self) -> str:
        """What it is called: as its first point."""
        return self.points[0]


def group(menus: Mapping[str, Menu], ties: Sequence[frozenset[str]]) -> tuple[Variable, ...]:
    """Return the variables for these points, in network order.

    Ties that share a point are one tie. A point that stays in float32 is tied to nothing. Raises
    EmptySearchSpace where tied points have no option in common.
    """
    members = {name: {name} for name, menu in menus.items() if menu}
    for tie in ties:
        joined = set[str]().union(*(members[name] for name in tie if name in members))
        members |= dict.fromkeys(joined, joined)
    found: dict[str, Variable] = {}
    for name, tied in members.items():
        if any(name in variable.points for variable in found.values()):
            continue
        points = tuple(point for point in menus if point in tied)
        common = set(menus[name]).intersection(*(menus[point] for point in points))
        if not common:
            remedy = f"{', '.join(points)} are tied; give them an option in common or tie nothing"
            raise EmptySearchSpace("points", remedy=remedy)
        found[name] = Variable(points, tuple(sorted(common)))
    return tuple(found.values())
