"""The figure that holds every row of the reproduction against the floor."""

from collections.abc import Mapping
from html import escape
from typing import Any

from service.words import percent

#: CSS colours and symbols, one a method in the order of the paper; both tell them apart
LOOKS = (
    ("--first", "circle"),
    ("--second", "square"),
    ("--third", "diamond"),
    ("--fourth", "cross"),
    ("--fifth", "x"),
    ("--soft", "triangle-up"),
    ("--ink", "star"),
)


def methods_figure(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return average bits against accuracy, a trace per method."""
    names = list(dict.fromkeys(line["method"] for line in found["lines"]))
    floor = found["floor"]
    return {
        "data": [
            _trace(name, found, look=LOOKS[index % len(LOOKS)]) for index, name in enumerate(names)
        ],
        "layout": {
            "height": 440,
            "xaxis": {"title": {"text": "bits a value, on average"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "accuracy"}, "tickformat": ".0%"},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": floor,
                    "y1": floor,
                    "line": {"color": "--floor", "dash": "dash", "width": 1.5},
                }
            ],
        },
    }


def _trace(name: str, found: Mapping[str, Any], *, look: tuple[str, str]) -> dict[str, Any]:
    lines = [line for line in found["lines"] if line["method"] == name]
    color, symbol = look
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(name),
        "x": [line["average_bits"] for line in lines],
        "y": [line["accuracy"] for line in lines],
        "text": [f"{escape(line['label'])}: {percent(line['saved'], 2)} saved" for line in lines],
        "hovertemplate": "%{text}<br>%{y:.2%} at %{x:.2f} bits<extra></extra>",
        "marker": {"color": color, "symbol": symbol, "size": 9},
    }
