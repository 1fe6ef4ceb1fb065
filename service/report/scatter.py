"""The figures with a dot per trial: the Pareto front, and how the search came to it."""

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape
from itertools import accumulate
from typing import Any

from search.spec import Baseline
from search.trial import TrialResult
from service.report.words import byte_unit
from service.report.words import percent

#: dots of one kind that a browser still draws at once; more are thinned out evenly
MOST_DOTS = 3000
#: tolerances below the floor that the accuracy axis shows; trials further down sit on its edge
TOLERANCES_BELOW = 3
LEAST_BELOW = 0.02
#: air above the most accurate trial, as a share of the axis
HEADROOM = 0.06

Figure = dict[str, Any]


def front_figure(
    baseline: Baseline,
    trials: Sequence[TrialResult],
    *,
    front: Sequence[TrialResult],
    float_bits: int,
) -> Figure:
    """Return memory against accuracy: every trial, the front, and the floor."""
    unit, size = byte_unit(float_bits / 8)
    scale = 8 * size
    below = max(TOLERANCES_BELOW * baseline.tolerance, LEAST_BELOW)
    bottom = max(baseline.floor - below, 0.0)
    known = {trial.number for trial in front}
    others = [trial for trial in trials if trial.number not in known]
    low = [trial for trial in others if trial.hits.accuracy < bottom]
    near = [trial for trial in others if trial.hits.accuracy >= bottom]
    held = [trial for trial in near if trial.feasible]
    missed = [trial for trial in near if not trial.feasible]
    traces = [
        _dots("held the floor", held, scale=scale, symbol="circle", color="--held"),
        _dots("below it", missed, scale=scale, symbol="x-thin-open", color="--missed"),
        _edge("further below", low, scale=scale, y=bottom),
        _front(front, scale=scale),
    ]
    top = max([baseline.accuracy, *(trial.hits.accuracy for trial in trials)])
    return {
        "data": [trace for trace in traces if trace["x"]],
        "layout": _front_layout(baseline, unit=unit, bottom=bottom, top=top),
    }


def _front_layout(baseline: Baseline, *, unit: str, bottom: float, top: float) -> Figure:
    air = HEADROOM * (top - bottom)
    floor, exact = baseline.floor, baseline.accuracy
    return {
        "height": 460,
        "xaxis": {"title": {"text": f"memory an image, {unit}"}, "rangemode": "tozero"},
        "yaxis": {
            "title": {"text": "accuracy"},
            "tickformat": ".1%",
            "range": [bottom - air, top + air],
        },
        "shapes": [
            _line(floor, dash="dash", color="--floor"),
            _line(exact, dash="dot", color="--quiet"),
        ],
        "annotations": [
            _label(floor, f"floor {percent(floor, 2)}", color="--floor"),
            _label(exact, f"float {percent(exact, 2)}", color="--quiet-text"),
        ],
    }


def progress_figure(trials: Sequence[TrialResult], *, float_bits: int) -> Figure:
    """Return the least memory that held the floor against the images evaluated so far."""
    unit, size = byte_unit(float_bits / 8)
    scale = 8 * size
    images = list(accumulate(trial.hits.images for trial in trials))
    steps: list[tuple[int, float, str]] = []
    for seen, trial in zip(images, trials, strict=True):
        memory = trial.memory_bits / scale
        if trial.feasible and (not steps or memory < steps[-1][1]):
            steps.append((seen, memory, f"trial {trial.number}"))
    if steps:
        steps.append((images[-1], *steps[-1][1:]))
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "least memory so far",
                "x": [step[0] for step in steps],
                "y": [step[1] for step in steps],
                "text": [step[2] for step in steps],
                "hovertemplate": f"%{{text}}<br>%{{y:.4g}} {unit}<br>%{{x:,}} images"
                "<extra></extra>",
                "line": {"shape": "hv", "color": "--front", "width": 2.5},
                "marker": {"color": "--front", "size": 6},
            }
        ],
        "layout": {
            "height": 340,
            "showlegend": False,
            "xaxis": {"title": {"text": "images evaluated by the search"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": f"memory an image, {unit}"}},
        },
    }


def thinned(trials: Sequence[TrialResult]) -> Sequence[TrialResult]:
    """Return at most about MOST_DOTS of them, evenly chosen."""
    return trials[:: len(trials) // MOST_DOTS + 1]


def _dots(
    name: str, trials: Sequence[TrialResult], *, scale: int, symbol: str, color: str
) -> Figure:
    drawn = thinned(trials)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{name} ({len(trials):,})",
        "x": [trial.memory_bits / scale for trial in drawn],
        "y": [trial.hits.accuracy for trial in drawn],
        "text": _texts(drawn),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 8,
            "symbol": symbol,
            "color": color,
            "line": {"width": 1.5, "color": color},
        },
    }


def _edge(name: str, trials: Sequence[TrialResult], *, scale: int, y: float) -> Figure:
    dots = _dots(name, trials, scale=scale, symbol="triangle-down", color="--missed")
    return {**dots, "y": [y] * len(dots["x"])}


def _front(front: Sequence[TrialResult], *, scale: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"Pareto front ({len(front):,})",
        "x": [trial.memory_bits / scale for trial in front],
        "y": [trial.hits.accuracy for trial in front],
        "text": _texts(front),
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"shape": "hv", "color": "--front", "width": 2.5},
        "marker": {"color": "--front", "size": 11, "symbol": "diamond"},
    }


def _texts(trials: Iterable[TrialResult]) -> list[str]:
    return [
        f"trial {trial.number}, {escape(trial.origin)}<br>{trial.memory_bits / 8:,.0f} bytes<br>"
        f"accuracy {percent(trial.hits.accuracy, 2)} on {trial.hits.images:,} images"
        f"{'' if trial.complete else '<br>stopped early: the floor was out of reach'}"
        for trial in trials
    ]


def _line(y: float, *, dash: str, color: str) -> Figure:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"dash": dash, "width": 2, "color": color},
    }


def _label(y: float, text: str, *, color: str) -> Figure:
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": y,
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"color": color},
    }
