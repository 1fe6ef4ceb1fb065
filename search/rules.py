"""Per-point rules: which points may choose from what, by name or by pattern."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields
from fnmatch import fnmatchcase
from math import inf
from typing import Any
from typing import NamedTuple

from search.allocation import MAX_BIT_WIDTH
from search.allocation import MIN_BIT_WIDTH
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import BitWidthOutOfRange
from search.errors import EmptySearchSpace
from search.errors import InvalidSpec
from search.errors import UnknownPoint

#: every option of one point; empty where it stays in float32
Menu = tuple[QuantizerConfig, ...]
#: (quantizer, what is stored at a point) -> it can be quantized so
Able = Callable[[str, Kind], bool]


def anything(quantizer: str, kind: Kind) -> bool:  # noqa: ARG001  # an `Able` for all
    """Return that every quantizer can quantize everything."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRule:
    """What is said about the points that a pattern matches; None says nothing."""

    #: bit-widths to choose from
    bit_widths: tuple[int, ...] | None = None
    #: registered quantizers to choose from
    quantizers: tuple[str, ...] | None = None
    #: the point stays in float32; its memory still counts
    exclude: bool | None = None
    #: what quantizers with an upper bound clip at instead of fitting it; in the tensor's own units
    upper_bound: float | None = None

    def said(self) -> dict[str, Any]:
        """Return the fields that say something."""
        every = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in every if value is not None}


class _Said(NamedTuple):
    value: Any
    #: where the request says so
    field: str


#: of which a rule says at least one, in words
FIELDS = "bit_widths, quantizers, exclude or upper_bound"
#: (pattern, rule) in order, each pattern once; patterns are those of `fnmatch.fnmatchcase`
PointRules = tuple[tuple[str, PointRule], ...]


def check(rules: PointRules) -> None:
    """Raise InvalidSpec, naming the rule, if one cannot be followed in any network."""
    patterns = [pattern for pattern, _ in rules]
    for pattern, rule in rules:
        field = f"points.{pattern}"
        if not pattern or patterns.count(pattern) > 1:
            raise InvalidSpec("points", f"the pattern {pattern!r} must be named, and once")
        if not rule.said():
            raise InvalidSpec(field, f"says nothing; give it {FIELDS}")
        if rule.quantizers == ():
            raise EmptySearchSpace(f"{field}.quantizers")
        if rule.bit_widths is not None:
            check_bit_widths(rule.bit_widths, field=f"{field}.bit_widths")
        if rule.upper_bound is not None and not 0 < rule.upper_bound < inf:
            raise InvalidSpec(f"{field}.upper_bound", f"{rule.upper_bound:g} is not above 0")


def check_bit_widths(bit_widths: Sequence[int], *, field: str) -> None:
    """Raise InvalidSpec for this field unless there is a bit-width and all can be stored."""
    if not bit_widths:
        raise EmptySearchSpace(field)
    for bit_width in bit_widths:
        if not MIN_BIT_WIDTH <= bit_width <= MAX_BIT_WIDTH:
            raise BitWidthOutOfRange(bit_width, low=MIN_BIT_WIDTH, high=MAX_BIT_WIDTH, field=field)


def menus(
    rules: PointRules,
    points: Sequence[QuantizationPoint],
    *,
    default: PointRule,
    able: Able = anything,
) -> tuple[Menu, ...]:
    """Return what each point may choose from, sorted, parallel to `points`.

    Later rules win, field by field, over earlier ones and over the default. An option that is not
    `able` to quantize what is stored at a point is not in its menu. Raises UnknownPoint for a
    pattern that matches no point, EmptySearchSpace if every point stays in float32 or none of the
    quantizers named for a point is able to quantize it.
    """
    names = [point.name for point in points]
    for pattern, _ in rules:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UnknownPoint(pattern, names)
    resolved = tuple(
        _menu(_rule(rules, point.name, default=default), point, able=able) for point in points
    )
    if not any(resolved):
        raise EmptySearchSpace("points", remedy="let at least one point be quantized")
    return resolved


def upper_bounds(
    rules: PointRules, menus: Mapping[str, Menu], *, bounded: Collection[str]
) -> Mapping[str, float]:
    """Return the given bound of every point that has one and a quantizer to use it, by point.

    `menus` has what each point may choose from, `bounded` the quantizers that take a bound. Raises
    InvalidSpec for a rule whose bound no matching point could use.
    """
    users = {name for name, menu in menus.items() if any(o.quantizer in bounded for o in menu)}
    found: dict[str, float] = {}
    for pattern, rule in rules:
        if rule.upper_bound is None:
            continue
        meant = {name for name in users if fnmatchcase(name, pattern)}
        if not meant:
            why = f"no point that it matches may choose from {', '.join(bounded)}"
            raise InvalidSpec(f"points.{pattern}.upper_bound", f"{why}; offer one, or leave it out")
        found |= dict.fromkeys(meant, rule.upper_bound)
    return found


def _rule(rules: PointRules, point: str, *, default: PointRule) -> Mapping[str, _Said]:
    """Return the fields that hold for this point."""
    said = {name: _Said(value, name) for name, value in default.said().items()}
    for pattern, rule in rules:
        if fnmatchcase(point, pattern):
            for name, value in rule.said().items():
                said[name] = _Said(value, f"points.{pattern}.{name}")
    return said


def _menu(said: Mapping[str, _Said], point: QuantizationPoint, *, able: Able) -> Menu:
    if "exclude" in said and said["exclude"].value:
        return ()
    quantizers = said["quantizers"]
    fitting = [name for name in quantizers.value if able(name, point.kind)]
    if not fitting:
        remedy = f"name a quantizer that can quantize the {point.kind} at {point.name}"
        raise EmptySearchSpace(quantizers.field, remedy=remedy)
    return tuple(sorted(set(_pairs(fitting, said["bit_widths"].value))))


def _pairs(quantizers: Sequence[str], bit_widths: Sequence[int]) -> Iterator[QuantizerConfig]:
    for quantizer in quantizers:
        for bit_width in bit_widths:
            yield QuantizerConfig(quantizer, bit_width)
