"""Small multiples as inline SVG: what each layer's activations look like, and the levels chosen."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
from math import sqrt
from typing import Any

from service.report.layers import Layer
from service.report.words import percent

WIDTH, HEIGHT = 240, 104  # SVG units
FLOOR_LINE = 74  # the histogram stands on it, the levels hang from it
TICK = 14  # length of a level's tick
MOST_TICKS = 64  # more levels than this are one band


def multiples(layers: Sequence[Layer], histograms: Mapping[str, Any]) -> str:
    """Return one figure a layer that has a histogram {"low", "high", "counts"}."""
    drawn = [
        _multiple(layer, histograms[layer.name]) for layer in layers if layer.name in histograms
    ]
    return f'<div class="multiples">{"".join(drawn)}</div>' if drawn else ""


def _multiple(layer: Layer, histogram: Mapping[str, Any]) -> str:
    counts = [float(count) for count in histogram["counts"]]
    low, high = float(histogram["low"]), float(histogram["high"])
    # a codebook may reach past what calibration saw
    left = min([low, *layer.levels[:1]])
    right = max([high, *layer.levels[-1:]])
    axis = Axis(left, right)
    label = _label(layer, low=low, high=high)
    return (
        f'<figure class="multiple"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<path class="counts" d="{_area(counts, axis, low=low, high=high)}"/>'
        f"{_levels(layer.levels, axis)}"
        f'<text x="1" y="{HEIGHT - 1}">{left:.3g}</text>'
        f'<text x="{WIDTH - 1}" y="{HEIGHT - 1}" text-anchor="end">{right:.3g}</text>'
        f"</svg><figcaption><b>{escape(layer.name)}</b> {escape(_chosen(layer))}</figcaption>"
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
    # after a ReLU one bin holds all the zeros; it is cut off, or it would flatten all others
    tallest = sqrt(sorted(counts)[-2:][0]) if counts else 0.0
    step = (high - low) / max(len(counts), 1)
    path = [f"M{axis.at(low)} {FLOOR_LINE}"]
    for index, count in enumerate(counts):
        share = min(sqrt(count) / tallest, 1.0) if tallest else 0.0
        y = FLOOR_LINE - share * (FLOOR_LINE - 4)
        path.append(f"L{axis.at(low + index * step)} {y:.1f}")
        path.append(f"L{axis.at(low + (index + 1) * step)} {y:.1f}")
    path.append(f"L{axis.at(high)} {FLOOR_LINE}Z")
    return "".join(path)


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


def _label(layer: Layer, *, low: float, high: float) -> str:
    kept = percent(layer.bytes_after / layer.bytes_before) if layer.bytes_before else "-"
    return (
        f"Histogram of the activations of {layer.name}, from {low:.3g} to {high:.3g}; "
        f"{_chosen(layer)}, {kept} of the float32 memory"
    )
