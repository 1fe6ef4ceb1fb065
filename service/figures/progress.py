"""The figures of a search over time: what it had found, and what each trial cost, in images."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from search.trial import TrialResult
from search.trial import Verdict
from service.figures.scatter import decided
from service.figures.scatter import thinned
from service.store.values import Setup
from service.words import amount_in_words
from service.words import cost_unit

#: verdict -> what a mark is called, its symbol and its colour
MARKS = {
    Verdict.HELD: ("held", "circle", "--held"),
    Verdict.MISSED: ("missed", "x-thin-open", "--missed"),
    Verdict.DOMINATED: ("dominated", "diamond-open", "--quiet"),
}

Figure = dict[str, Any]


def progress_figure(setup: Setup, trials: Sequence[TrialResult], *, objective: str) -> Figure:
    """Return the least cost that held against the images evaluated so far, in full passes."""
    title, scale = cost_unit(setup.float_bits, objective)
    passes = running_passes(setup, trials)
    steps: list[tuple[float, float, str]] = []
    for so_far, trial in zip(passes, trials, strict=True):
        cost = trial.memory_bits / scale
        if trial.feasible and (not steps or cost < steps[-1][1]):
            words = amount_in_words(trial.memory_bits / 8, objective)
            verdict = decided(trial, setup.baseline)
            steps.append((so_far, cost, f"trial {trial.number}<br>{words}<br>{verdict}"))
    if steps:
        steps.append((passes[-1], *steps[-1][1:]))
    images = [round(so_far * setup.baseline.images) for so_far, _, _ in steps]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "least so far",
                "x": [step[0] for step in steps],
                "y": [step[1] for step in steps],
                "text": [step[2] for step in steps],
                "customdata": images,
                "hovertemplate": "%{text}<br>%{customdata:,} images so far, %{x:.2f} full passes"
                "<extra></extra>",
                "line": {"shape": "hv", "color": "--front", "width": 2.5},
                "marker": {"color": "--front", "size": 6},
            }
        ],
        "layout": {
            "height": 300,
            "showlegend": False,
            "xaxis": {
                "title": {"text": "images evaluated, in full passes"},
                "rangemode": "tozero",
            },
            "yaxis": {"title": {"text": title}},
        },
    }


def images_figure(setup: Setup, trials: Sequence[TrialResult]) -> Figure:
    """Return, trial by trial, the share of the search split that its verdict took.

    Trials of an earlier job took none.
    """
    passes = dict(
        zip((trial.number for trial in trials), running_passes(setup, trials), strict=True)
    )
    traces = [
        _marks(
            [trial for trial in trials if trial.verdict is verdict and not trial.earlier],
            verdict,
            setup=setup,
        )
        | {"name": name, "marker": {"symbol": symbol, "color": color, "size": 7}}
        for verdict, (name, symbol, color) in MARKS.items()
    ]
    for trace in traces:
        trace["customdata"] = [passes[number] for number in trace["x"]]
        trace["marker"]["line"] = {"width": 1.5, "color": trace["marker"]["color"]}
    return {
        "data": [trace for trace in traces if trace["x"]],
        "layout": {
            "height": 260,
            "showlegend": True,
            "xaxis": {"title": {"text": "trial"}, "range": [-1, len(trials)]},
            "yaxis": {
                "title": {"text": "images it took"},
                "tickformat": ".0%",
                "range": [-0.04, 1.06],
            },
        },
    }


def running_passes(setup: Setup, trials: Sequence[TrialResult]) -> list[float]:
    """Return the images evaluated up to and with each trial, in full passes over the split."""
    images = accumulate(trial.spent for trial in trials)
    return [so_far / setup.baseline.images for so_far in images]


def _marks(trials: Sequence[TrialResult], verdict: Verdict, *, setup: Setup) -> Figure:
    drawn = thinned(trials)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [trial.number for trial in drawn],
        "y": [trial.hits.images / setup.baseline.images for trial in drawn],
        "text": [decided(trial, setup.baseline) for trial in drawn],
        "hovertemplate": f"trial %{{x}}<br>%{{text}}<br>%{{customdata:.2f}} full passes so far"
        f"<extra>{MARKS[verdict][0]}</extra>",
    }
