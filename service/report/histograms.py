"""Small multiples as inline SVG: what each layer's values look like, and the levels chosen."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
from math import erf
from math import sqrt
from typing import Any

from service.figures.bins import height
from service.figures.bins import tallest
from service.figures.layers import Layer
from service.figures.multiples import MOST_TICKS
from service.words import percent

WIDTH, HEIGHT = 240, 104  # SVG units
FLOOR_LINE = 74  # the histogram stands on it, the levels hang from it
TICK = 14  # length of a level's tick


def multiples(
    layers: Sequence[Layer], histograms: Mapping[str, Any], *, normal: bool = False
) -> str:
    """Return one figure a layer that has a histogram {"low", "high", "counts"}.

    With `normal` the normal distribution of the same mean and deviation is drawn over it.
    """
    drawn = [
        _multiple(layer, histograms[layer.name], normal=normal)
        for layer in layers
        if layer.name in histograms
    ]
    return f'<div class="multiples">{"".join(drawn)}</div>' if drawn else ""


def expected(counts: Sequence[float], *, low: float, high: float) -> list[float]:
    """Return the counts of a normal distribution of the same mean and deviation, bin by bin.

    Bins are equal over [low, high]; what lies outside is in none.
    """
    total, step = sum(counts), (high - low) / max(len(counts), 1)
    if not total:
        return [0.0] * len(counts)
    centers = [low + step * (index + 0.5) for index in range(len(counts))]
    mean = sum(n * x for n, x in zip(counts, centers, strict=True)) / total
    square = sum(n * (x - mean) ** 2 for n, x in zip(counts, centers, strict=True)) / total
    # all in one bin: as wide as a bin, so that it can be drawn
    deviation = sqrt(square) or step

    def below(x: float) -> float:
        return 0.5 * (1 + erf((x - mean) / (deviation * sqrt(2))))

    return [total * (below(x + step / 2) - below(x - step / 2)) for x in centers]


def common(counts: Sequence[float], others: Sequence[float]) -> float:
    """Return the share of the counts that both have."""
    both = sum(min(pair) for pair in zip(counts, others, strict=True))
    return both / (sum(counts) or 1.0)


def _multiple(layer: Layer, histogram: Mapping[str, Any], *, normal: bool) -> str:
    counts = [float(count) for count in histogram["counts"]]
    low, high = float(histogram["low"]), float(histogram["high"])
    # a codebook may reach past what calibration saw
    left = min([low, *layer.levels[:1]])
    right = max([high, *layer.levels[-1:]])
    axis = Axis(left, right)
    told = _chosen(layer)
    curve = ""
    if normal:
        bell = expected(counts, low=low, high=high)
        told = f"{percent(common(counts, bell), 0)} normal"
        curve = _curve(bell, axis, low=low, high=high, highest=tallest(counts))
    label = _label(layer, told, low=low, high=high)
    return (
        f'<figure class="multiple"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<path class="counts" d="{_area(counts, axis, low=low, high=high)}"/>'
        f"{curve}{_levels(layer.levels, axis)}"
        f'<text x="1" y="{HEIGHT - 1}">{left:.3g}</text>'
        f'<text x="{WIDTH - 1}" y="{HEIGHT - 1}" text-anchor="end">{right:.3g}</text>'
        f"</svg><figcaption><b>{escape(layer.name)}</b> {escape(told)}</figcaption>"
        "</figure>"
    )


class Axis:
    """Values to SVG units, from left to right."""

    def __init__(self, left: float, right: float) -> None:
        self._left = left
        self._span = (right - left) or 1.0

    def at(self, value: float) -> str:
        """Return the place of the value as SVG has it."""
        return f"{(value - self._left) / self._span * WIDTH:.1f}"


def _area(counts: Sequence[float], axis: Axis, *, low: float, high: float) -> str:
    highest = tallest(counts)
    step = (high - low) / max(len(counts), 1)
    path = [f"M{axis.at(low)} {FLOOR_LINE}"]
    for index, count in enumerate(counts):
        y = _height(count, highest)
        path.append(f"L{axis.at(low + index * step)} {y:.1f}")
        path.append(f"L{axis.at(low + (index + 1) * step)} {y:.1f}")
    path.append(f"L{axis.at(high)} {FLOOR_LINE}Z")
    return "".join(path)


def _curve(counts: Sequence[float], axis: Axis, *, low: float, high: float, highest: float) -> str:
    step = (high - low) / max(len(counts), 1)
    places = (
        f"{axis.at(low + (index + 0.5) * step)} {_height(count, highest):.1f}"
        for index, count in enumerate(counts)
    )
    return f'<path class="levels" d="M{"L".join(places)}"/>'


def _height(count: float, highest: float) -> float:
    return FLOOR_LINE - height(count, highest) * (FLOOR_LINE - 4)


def _levels(levels: Sequence[float], axis: Axis) -> str:
    if not levels:
        return ""
    if len(levels) > MOST_TICKS:
        x, end = float(axis.at(levels[0])), float(axis.at(levels[-1]))
        return (
            f'<rect class="band" x="{x:.1f}" y="{FLOOR_LINE}" '
            f'width="{max(end - x, 1):.1f}" height="{TICK / 2}"/>'
        )
    ticks = "".join(f"M{axis.at(level)} {FLOOR_LINE}v{TICK}" for level in levels)
    return f'<path class="levels" d="{ticks}"/>'


def _chosen(layer: Layer) -> str:
    if layer.quantizer is None:
        return "float32"
    levels = f", {len(layer.levels)} levels" if layer.levels else ""
    return f"{layer.quantizer}, {layer.bit_width} bits{levels}"


def _label(layer: Layer, told: str, *, low: float, high: float) -> str:
    kept = ""
    if layer.bytes_before:
        kept = f", {percent(layer.bytes_after / layer.bytes_before)} of the float32 memory"
    where = f"Histogram of the {layer.kind} at {layer.name}, from {low:.3g} to {high:.3g}"
    return f"{where}; {told}{kept}"
