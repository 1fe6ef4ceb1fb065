"""Whether figures that were measured again are those that a best document states."""

import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

PARTS = ("search", "certification")
COUNTS = ("correct", "lost", "gained")
SHARES = ("float_accuracy", "floor", "accuracy", "drop")
#: they follow from the counts, but not at a rate that images could be allowed for
DERIVED = ("p_value", "drop_upper_bound")
ROUNDING = 1e-9  # of floats that are computed alike; relative, and absolute below 1


def figures(
    document: Mapping[str, Any], found: Mapping[str, Any], *, parts: Sequence[str], slack: int
) -> Iterator[dict[str, Any]]:
    """Yield {"name", "stated", "found", "agrees"} for every figure that is stated and found.

    Of the splits, those of `parts` are looked at; a count of images may differ by `slack`.
    """
    for name, value in found.items():
        if name in document and isinstance(value, int | float):
            yield _figure(name, document[name], found=value)
    for part in parts:
        stated, on_split = document[part], found[part]
        allowed = slack / max(1, on_split["images"])
        same = all(stated.get(count) in (None, on_split[count]) for count in COUNTS)
        for name, within in (
            ("images", 0.0),
            *((count, slack) for count in COUNTS),
            *((share, allowed) for share in SHARES),
            *((one, 0.0) for one in DERIVED if same),
        ):
            if stated.get(name) is not None and name in on_split:
                figure = _figure(name, stated[name], found=on_split[name], within=within)
                yield figure | {"name": f"{part}.{name}"}


def _figure(name: str, stated: float, *, found: float, within: float = 0.0) -> dict[str, Any]:
    agrees = abs(stated - found) <= within or math.isclose(
        stated, found, rel_tol=ROUNDING, abs_tol=within + ROUNDING
    )
    return {"name": name, "stated": stated, "found": found, "agrees": agrees}
