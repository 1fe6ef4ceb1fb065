"""One page that shows, case by case, how soon each method finds how little memory."""

import math
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plotly import graph_objects
from plotly.subplots import make_subplots

from benchmarks.search.curves import Node
from benchmarks.search.curves import curve

#: Okabe & Ito's colours, which most colour-blind people tell apart
COLOURS = {
    "bitfloor": "#D55E00",
    "raced-tpe": "#E69F00",
    "greedy": "#009E73",
    "solver": "#0072B2",
    "tpe": "#56B4E9",
    "nsga2": "#CC79A7",
    "random": "#999999",
    "uniform": "#000000",
    "lin": "#8B6F47",
}
#: what walks one family of allocations and answers once
FAMILIES = ("solver", "uniform", "lin")
_HEIGHT, _WIDTH, _MARGIN = 460, 1000, 130  # pixels
_BROWSER = "chromium"


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return a self-contained HTML page."""
    named = [*dict.fromkeys(line["case"] for line in lines)]
    figure = make_subplots(rows=max(1, len(named)), cols=1, subplot_titles=named)
    for row, case in enumerate(named, 1):
        for method in reversed(COLOURS):  # ours on top
            mine = [x for x in lines if x["case"] == case and x["method"] == method]
            if mine and (nodes := curve(mine)):
                for trace in _traces(method, nodes, first=row == 1):
                    figure.add_trace(trace, row=row, col=1)
    figure.update_xaxes(
        type="log",
        dtick=1,
        minor={"ticks": "outside"},
        title="images evaluated, calibration and float pass included",
    )
    figure.update_yaxes(title="bits per value, held on the search split")
    figure.update_layout(
        template="simple_white",
        height=_height(len(named)),
        width=_WIDTH,
        title="Least memory found: median of the seeds, and their range",
    )
    html: str = figure.to_html(config={"displayModeBar": False})
    return html


def picture(html: str, file: Path, *, cases: int) -> bool:
    """Write the page as a PNG; return whether there is a browser to do so."""
    browser = shutil.which(_BROWSER)
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "plot.html"
        source.write_text(html)
        size = f"--window-size={_WIDTH + 20},{_height(cases) + 20}"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size]
        wait = "--virtual-time-budget=8000"
        shot = [f"--screenshot={file.resolve()}", wait, source.as_uri()]
        subprocess.run([browser, *options, *shot], check=True, capture_output=True, timeout=120)
    return True


def _height(cases: int) -> int:
    return _HEIGHT * max(1, cases) + _MARGIN


def _traces(
    method: str, nodes: Sequence[Node], *, first: bool
) -> tuple[graph_objects.Scatter, graph_objects.Scatter]:
    """Return the band, where every seed holds something, and the median."""
    colour = COLOURS[method]
    all_hold = [node for node in nodes if math.isfinite(node.high)]
    stairs = [*_stairs([(n.images, n.high) for n in all_hold])]
    back = [*_stairs([(n.images, n.low) for n in all_hold])][::-1]
    band = graph_objects.Scatter(
        x=[x for x, _ in stairs + back],
        y=[y for _, y in stairs + back],
        mode="lines",
        fill="toself",
        fillcolor=colour,
        opacity=0.18,
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=method,
        showlegend=False,
    )
    middle = graph_objects.Scatter(
        x=[node.images for node in nodes],
        y=[node.middle for node in nodes],
        # a family has one answer, and so hardly a line
        mode="lines+markers" if method in FAMILIES else "lines",
        marker={"size": 7},
        line={"color": colour, "width": 3 if method == "bitfloor" else 2, "shape": "hv"},
        name=method,
        legendgroup=method,
        showlegend=first,
    )
    return band, middle


def _stairs(nodes: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the corners of a line that stays where it is until the next node."""
    corners: list[tuple[int, float]] = []
    for images, bits in nodes:
        if corners:
            corners.append((images, corners[-1][1]))
        corners.append((images, bits))
    return corners
