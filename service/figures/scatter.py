"""The figure with a dot per trial: cost against accuracy, the Pareto front and the floor."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from search.baseline import Baseline
from search.pareto import reference
from search.trial import TrialResult
from search.trial import Verdict
from service.figures.layers import Choice
from service.store.values import Setup
from service.words import amount_in_words
from service.words import cost_unit
from service.words import percent

#: dots of one kind that a browser still draws at once; more are thinned out evenly
MOST_DOTS = 3000
#: tolerances below the floor that the accuracy axis shows; trials further down sit on its edge
TOLERANCES_BELOW = 3
LEAST_BELOW = 0.02
#: air above the most accurate trial, as a share of the axis
HEADROOM = 0.06
#: share of the axis that one label takes
CLOSE = 0.1
VERDICTS = {
    Verdict.HELD: "held",
    Verdict.MISSED: "missed",
    Verdict.DOMINATED: "dominated by another",
    Verdict.UNDECIDED: "not decided yet",
}

Figure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How trials of one job become dots."""

    setup: Setup
    objective: str

    @property
    def unit(self) -> tuple[str, float]:
        """Return the title of the axis of costs, and its unit in bits."""
        return cost_unit(self.setup.float_bits, self.objective)

    def dots(self, name: str, trials: Sequence[TrialResult], *, symbol: str, color: str) -> Figure:
        drawn = thinned(trials)
        return {
            "type": "scatter",
            "mode": "markers",
            "name": f"{name} ({len(trials):,})",
            "x": [trial.memory_bits / self.unit[1] for trial in drawn],
            "y": [self.setup.accuracy(trial.hits) for trial in drawn],
            "text": self.texts(drawn),
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "size": 8,
                "symbol": symbol,
                "color": color,
                "line": {"width": 1.5, "color": color},
            },
        }

    def texts(self, trials: Iterable[TrialResult]) -> list[str]:
        return [
            f"trial {trial.number}, {_source(trial)}<br>"
            f"{amount_in_words(trial.memory_bits / 8, self.objective)}<br>"
            f"accuracy {percent(self.setup.accuracy(trial.hits), 2)}"
            f"{'' if trial.complete else ', estimated'}<br>{decided(trial, self.setup.baseline)}"
            for trial in trials
        ]


def front_figure(
    setup: Setup,
    trials: Sequence[TrialResult],
    *,
    front: Sequence[TrialResult],
    objective: str,
    goal: str = "floor",
) -> Figure:
    """Return cost against accuracy: every trial, the front, and the floor.

    Of a search for the front, what is not on it is grey, and the axis goes down as far as the front
    does, or to where accuracy no longer counts.
    """
    drawing = _Drawing(setup, objective)
    baseline = setup.baseline
    bottom = _depth(baseline, front) if goal == "front" else _bottom(baseline)
    known = {trial.number for trial in front}
    others = [trial for trial in trials if trial.number not in known]
    low = [trial for trial in others if setup.accuracy(trial.hits) < bottom]
    near = [trial for trial in others if setup.accuracy(trial.hits) >= bottom]
    edge_color = "--quiet" if goal == "front" else "--missed"
    edge = drawing.dots("further below", low, symbol="triangle-down", color=edge_color)
    traces = [
        *(_dominated(near, drawing) if goal == "front" else _by_verdict(near, drawing)),
        {**edge, "y": [bottom] * len(edge["x"])},
        _front(front, drawing=drawing),
    ]
    top = max([baseline.accuracy, *(setup.accuracy(trial.hits) for trial in trials)])
    return {
        "data": [trace for trace in traces if trace["x"]],
        "layout": _layout(baseline, title=drawing.unit[0], bottom=bottom, top=top),
    }


def ringed(
    figure: Figure, setup: Setup, *, trials: Sequence[TrialResult], objective: str, shown: Choice
) -> Figure:
    """Return the front figure with a ring around the allocation that all other figures show."""
    around = [trial for trial in trials if trial.number == shown.trial]
    ring = _Drawing(setup, objective).dots("", around, symbol="circle-open", color="--good")
    lowest = min((y for trace in figure["data"] for y in trace["y"]), default=0.0)
    trace = {
        **ring,
        "name": f"{shown.name}, trial {shown.trial}",
        # where its own mark is, which may be on the edge
        "y": [max(y, lowest) for y in ring["y"]],
        "hoverinfo": "skip",
        "hovertemplate": None,
        "marker": {**ring["marker"], "size": 18},
    }
    return {**figure, "data": [*([trace] if around else []), *figure["data"]]}


def _bottom(baseline: Baseline) -> float:
    below = max(TOLERANCES_BELOW * baseline.tolerance, LEAST_BELOW)
    return max(baseline.floor - below, 0.0)


def _depth(baseline: Baseline, front: Sequence[TrialResult]) -> float:
    lowest = min([_bottom(baseline), *(trial.hits.accuracy for trial in front)])
    return max(reference(baseline), lowest - HEADROOM * (baseline.accuracy - lowest))


def _by_verdict(near: Sequence[TrialResult], drawing: _Drawing) -> Iterator[Figure]:
    held = [trial for trial in near if trial.feasible]
    full = [trial for trial in held if trial.complete]
    early = [trial for trial in held if not trial.complete]
    missed = [trial for trial in near if trial.decided and not trial.feasible]
    undecided = [trial for trial in near if not trial.decided]
    yield drawing.dots("held", full, symbol="circle", color="--held")
    yield drawing.dots("held, decided early", early, symbol="circle-open", color="--held")
    yield drawing.dots("missed", missed, symbol="x-thin-open", color="--missed")
    yield drawing.dots("undecided", undecided, symbol="diamond-open", color="--quiet")


def _dominated(near: Sequence[TrialResult], drawing: _Drawing) -> Iterator[Figure]:
    full = [trial for trial in near if trial.complete]
    early = [trial for trial in near if not trial.complete and trial.decided]
    undecided = [trial for trial in near if not trial.decided]
    yield drawing.dots("dominated", full, symbol="circle", color="--quiet")
    yield drawing.dots("dominated, stopped early", early, symbol="circle-open", color="--quiet")
    yield drawing.dots("undecided", undecided, symbol="diamond-open", color="--quiet")


def _source(trial: TrialResult) -> str:
    return "of an earlier job" if trial.earlier else f"proposed by {escape(trial.origin)}"


def decided(trial: TrialResult, baseline: Baseline) -> str:
    """Return the verdict and on how many images it fell."""
    if trial.complete:
        return f"{VERDICTS[trial.verdict]}, on all {trial.hits.images:,} images"
    when = "decided after" if trial.decided else "after"
    seen = f"{when} {trial.hits.images:,} of {baseline.images:,} images"
    return f"{VERDICTS[trial.verdict]}, {seen}"


def thinned(trials: Sequence[TrialResult]) -> Sequence[TrialResult]:
    """Return at most about MOST_DOTS of them, evenly chosen."""
    return trials[:: len(trials) // MOST_DOTS + 1]


def _front(front: Sequence[TrialResult], *, drawing: _Drawing) -> Figure:
    return {
        **drawing.dots("", front, symbol="diamond", color="--front"),
        "mode": "lines+markers",
        "name": f"Pareto front ({len(front):,})",
        "x": [trial.memory_bits / drawing.unit[1] for trial in front],
        "y": [trial.hits.accuracy for trial in front],
        "text": drawing.texts(front),
        "line": {"shape": "hv", "color": "--front", "width": 2.5},
        "marker": {"color": "--front", "size": 11, "symbol": "diamond"},
    }


def _layout(baseline: Baseline, *, title: str, bottom: float, top: float) -> Figure:
    air = HEADROOM * (top - bottom)
    floor, exact = baseline.floor, baseline.accuracy
    # below its line where there is no room for two labels above one another
    near = "top" if exact - floor < CLOSE * (top - bottom) else "bottom"
    return {
        "height": 460,
        "xaxis": {"title": {"text": title}, "rangemode": "tozero"},
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
            _label(floor, f"floor {percent(floor, 2)}", color="--floor", anchor=near),
            _label(exact, f"float {percent(exact, 2)}", color="--quiet-text", anchor="bottom"),
        ],
    }


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


def _label(y: float, text: str, *, color: str, anchor: str) -> Figure:
    return {
        "xref": "paper",
        # marks crowd at the other end
        "x": 0,
        "xanchor": "left",
        "y": y,
        "yanchor": anchor,
        "text": text,
        "showarrow": False,
        "font": {"color": color},
    }
