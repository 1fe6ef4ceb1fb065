"""The figure with a histogram per layer: what its values look like, and the levels chosen."""

from collections.abc import Mapping
from collections.abc import Sequence
from math import ceil
from typing import Any

from service.figures.bars import Figure
from service.figures.bins import height
from service.figures.bins import tallest
from service.figures.labels import labels
from service.figures.layers import Layer

MOST_TICKS = 64  # more levels than this are one band
COLUMNS = 3
#: of the whole figure, between one histogram and the next
GAP_ACROSS, GAP_BELOW = 0.06, 0.13
#: levels hang below the histogram, which is 1 high
LEVELS_AT, BOTTOM = -0.13, -0.26
MOST_NAME = 12  # characters of a layer's name


def largest(
    layers: Sequence[Layer], histograms: Mapping[str, Any], *, most: int
) -> tuple[Layer, ...]:
    """Return those that have a histogram and store most in float32, in network order."""
    known = [layer for layer in layers if layer.name in histograms]
    kept = sorted(known, key=lambda layer: layer.bytes_before, reverse=True)[:most]
    return tuple(layer for layer in known if layer in kept)


def multiples_figure(layers: Sequence[Layer], histograms: Mapping[str, Any]) -> Figure:
    """Return a histogram {"low", "high", "counts"} of each of the layers, which all have one."""
    rows = ceil(len(layers) / COLUMNS)
    layout: Figure = {"showlegend": False, "annotations": []}
    data: list[Figure] = []
    names = labels([layer.name for layer in layers], most=MOST_NAME)
    for at, (layer, name) in enumerate(zip(layers, names, strict=True)):
        histogram, ends = histograms[layer.name], _ends(layer, histograms[layer.name])
        axis = "" if at == 0 else str(at + 1)
        place = _place(at, rows)
        layout[f"xaxis{axis}"] = _values(ends, place["x"]) | {"anchor": f"y{axis}"}
        layout[f"yaxis{axis}"] = _heights(place["y"]) | {"anchor": f"x{axis}"}
        layout["annotations"].append(_name(layer, name, place=place))
        data += [
            {**trace, "xaxis": f"x{axis}", "yaxis": f"y{axis}"}
            for trace in _drawn(layer, histogram)
        ]
    return {"data": data, "layout": layout}


def _ends(layer: Layer, histogram: Mapping[str, Any]) -> tuple[float, float]:
    # a codebook may reach past what calibration saw
    left = min([float(histogram["low"]), *layer.levels[:1]])
    return left, max([float(histogram["high"]), *layer.levels[-1:]])


def _place(at: int, rows: int) -> dict[str, tuple[float, float]]:
    """Return the shares of the figure's width and height, from the left and from below."""
    row, column = divmod(at, COLUMNS)
    width = (1 - GAP_ACROSS * (COLUMNS - 1)) / COLUMNS
    tall = (1 - GAP_BELOW * (rows - 1)) / rows
    left, top = column * (width + GAP_ACROSS), 1 - row * (tall + GAP_BELOW)
    return {"x": (left, left + width), "y": (max(top - tall, 0.0), top)}


def _drawn(layer: Layer, histogram: Mapping[str, Any]) -> list[Figure]:
    counts = [float(count) for count in histogram["counts"]]
    low, high = float(histogram["low"]), float(histogram["high"])
    highest = tallest(counts)
    heights = [height(count, highest) for count in counts]
    area = {
        "type": "scatter",
        "mode": "lines",
        "x0": low,
        "dx": (high - low) / max(len(counts), 1),
        # the last bin ends where the next would begin
        "y": [*heights, *heights[-1:]],
        "line": {"shape": "hv", "width": 0, "color": "--quiet"},
        "fill": "tozeroy",
        "fillcolor": "--quiet",
        "hoverinfo": "skip",
    }
    return [area, *_levels(layer.levels)]


def _levels(levels: Sequence[float]) -> list[Figure]:
    if not levels:
        return []
    many = len(levels) > MOST_TICKS
    shown = [levels[0], levels[-1]] if many else list(levels)
    common = {"type": "scatter", "x": shown, "y": [LEVELS_AT] * len(shown)}
    if many:
        band = {"width": 5, "color": "--floor"}
        return [{**common, "mode": "lines", "line": band, "hoverinfo": "skip"}]
    tick = {"symbol": "line-ns", "size": 9, "line": {"width": 1.2, "color": "--floor"}}
    return [
        {**common, "mode": "markers", "marker": tick, "hovertemplate": "%{x:.4g}<extra></extra>"}
    ]


def _values(ends: tuple[float, float], place: tuple[float, float]) -> Figure:
    return {
        "domain": place,
        # air, so that a level at the end is not cut in half
        "range": [ends[0] - 0.02 * (ends[1] - ends[0]), ends[1] + 0.02 * (ends[1] - ends[0])],
        "tickvals": list(ends),
        "ticktext": [f"{end:.2g}" for end in ends],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _heights(place: tuple[float, float]) -> Figure:
    return {"domain": place, "range": [BOTTOM, 1.05], "visible": False, "fixedrange": True}


def _name(layer: Layer, name: str, *, place: Mapping[str, tuple[float, float]]) -> Figure:
    bits = "float32" if layer.quantizer is None else f"{layer.bit_width} bits"
    return {
        "xref": "paper",
        "yref": "paper",
        "x": place["x"][0],
        "xanchor": "left",
        "y": place["y"][1],
        "yanchor": "bottom",
        "text": f"{name}, {bits}",
        "showarrow": False,
        "font": {"size": 10, "color": "--soft"},
    }
