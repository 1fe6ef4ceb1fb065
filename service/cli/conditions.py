"""Conditions on the best document, such as saved>=0.80, that a pipeline must not go on without."""

import operator
import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.cli.errors import ConditionUnusable
from service.cli.errors import listed

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}

#: What a condition may name -> where the best document has it. Accuracy and its kin are those of
#: the certification split, which the search never saw.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "saved": ("saved",),
    "average_bits": ("average_bits",),
    "memory_bytes": ("memory_bytes",),
    "float_memory_bytes": ("float_memory_bytes",),
    "accuracy": ("certification", "accuracy"),
    "drop": ("certification", "drop"),
    "drop_upper_bound": ("certification", "drop_upper_bound"),
    "p_value": ("certification", "p_value"),
    "gap": ("certification", "gap"),
    "confidence": ("certification", "confidence"),
    "floor": ("certification", "floor"),
    "float_accuracy": ("certification", "float_accuracy"),
    "certification_images": ("certification", "images"),
    "search_accuracy": ("search", "accuracy"),
    "search_drop": ("search", "drop"),
    "tolerance": ("tolerance",),
    "trial": ("trial",),
    "images_evaluated": ("images_evaluated",),
}

_CONDITION = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|==|>|<)\s*(\S+?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the best document against a number."""

    field: str
    symbol: str
    bound: float

    def __str__(self) -> str:
        return f"{self.field} {self.symbol} {self.bound:g}"

    def holds(self, best: Mapping[str, Any]) -> bool:
        """Tell whether the document meets the condition; not if it lacks the field."""
        value = self.value(best)
        return value is not None and OPERATORS[self.symbol](value, self.bound)

    def value(self, best: Mapping[str, Any]) -> float | None:
        """Return what the document has in the field; None where an earlier release wrote none."""
        found: Any = best
        for key in FIELDS[self.field]:
            found = found.get(key) if found else None
        return None if found is None else float(found)


def parse(text: str) -> Condition:
    """Return the condition; a percent sign divides by 100.

    Raises:
        ConditionUnusable: it is no condition, or names a field that no best document has.

    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ConditionUnusable(text, "this is not a field, one of >= <= > < == and a number")
    field, symbol, number, percent = match.groups()
    if field not in FIELDS:
        raise ConditionUnusable(text, f"there is no field {field!r}; known are {listed(FIELDS)}")
    try:
        bound = float(number)
    except ValueError:
        raise ConditionUnusable(text, f"{number!r} is not a number") from None
    if bound != bound:  # noqa: PLR0124  # nan: never met, so surely a mistake
        raise ConditionUnusable(text, "nan compares with nothing")
    return Condition(field, symbol, bound / 100 if percent else bound)
