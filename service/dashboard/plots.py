"""The report's figures as the dashboard's page draws them: beside one another, all of one size."""

import json
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from search.allocation import Kind
from search.trial import TrialResult
from service.figures import bars
from service.figures import progress
from service.figures import scatter
from service.figures.bars import Figure
from service.figures.layers import Choice
from service.figures.layers import by_kind
from service.figures.layers import choice
from service.figures.multiples import largest
from service.figures.multiples import multiples_figure
from service.figures.palette import painted
from service.store.values import Job
from service.store.values import Setup
from service.words import BIT_OPERATIONS

#: dots of one kind; the page draws them all anew whenever it asks for news
MOST_DOTS = 300
MOST_HISTOGRAMS = 12
#: pixels above a figure: for its title, for each line below that, and for a layer's name
_TITLE, _SUBTITLE, _NAME_ABOVE = 44, 16, 14
_SOME = f"about {MOST_DOTS} dots of each kind, evenly chosen"
_DIGITS = 6  # significant ones of every number
#: what a trace has one of for each of its dots
_PER_DOT = ("x", "y", "text", "customdata")
_PLURALS = {Kind.ACTIVATION: "activations", Kind.WEIGHT: "weights"}


def plots(
    job: Job, trials: Sequence[TrialResult], *, front: Sequence[TrialResult]
) -> dict[str, str]:
    """Return name -> plotly figure as JSON, in the order of the report, as far as there are any.

    Trials in order, of which allocations are not looked at; the front fewest bits first.
    """
    figures = {**_searched(job, trials, front=front), **_chosen(job)}
    return {name: _json(_framed(figure, job.id)) for name, figure in figures.items()}


def _searched(
    job: Job, trials: Sequence[TrialResult], *, front: Sequence[TrialResult]
) -> dict[str, Figure]:
    setup, spec = job.setup, job.submission.spec
    if setup is None or not trials:
        return {}
    cost = "Bit operations" if spec.minimizes == BIT_OPERATIONS else "Memory"
    dots = scatter.front_figure(
        setup, trials, front=front, objective=spec.minimizes, goal=spec.goal
    )
    dots = scatter.ringed(dots, setup, trials=trials, objective=spec.minimizes, shown=choice(job))
    found = {"front": _dotted(dots, f"{cost} against accuracy")}
    if any(trial.feasible for trial in trials):
        line = progress.progress_figure(setup, trials, objective=spec.minimizes)
        found["progress"] = _titled(line, "The least that held so far")
    images = progress.images_figure(setup, trials)
    # a range that grows with the trials would undo what a person zoomed into
    del images["layout"]["xaxis"]["range"]
    found["images"] = _dotted(images, "Images that each trial took")
    return found


def _chosen(job: Job) -> dict[str, Figure]:
    chosen = choice(job)
    figures: dict[str, Figure] = {}
    if chosen.title:
        figures |= _per_layer(chosen)
    if job.setup:
        figures |= _histograms(chosen, job.setup)
    return figures


def _per_layer(chosen: Choice) -> dict[str, Figure]:
    looks = bars.looks_of(chosen.layers)
    figures: dict[str, Figure] = {}
    kinds = by_kind(chosen.layers)
    for kind, layers in kinds.items():
        whose = f" of the {_PLURALS[kind]}" if len(kinds) > 1 else ""
        for name, figure in (
            ("bits", bars.bits_figure(layers, looks)),
            ("memory", bars.memory_figure(layers)),
        ):
            heading = f"{name.capitalize()}{whose}, layer by layer"
            figures[_name(kind, name)] = _titled(
                bars.upright(figure), heading, subtitle=chosen.title
            )
    return figures


def _histograms(chosen: Choice, setup: Setup) -> Iterator[tuple[str, Figure]]:
    for kind, layers in by_kind(chosen.layers).items():
        shown = largest(layers, setup.histograms, most=MOST_HISTOGRAMS)
        if shown:
            plural = _PLURALS[kind]
            part = f"the {len(shown)} largest of {len(layers)} layers; " if shown != layers else ""
            figure = _titled(
                multiples_figure(shown, setup.histograms),
                f"{plural.capitalize()} and their levels",
                subtitle=f"{part}heights are square roots of counts",
            )
            figure["layout"]["margin"]["t"] += _NAME_ABOVE
            yield _name(kind, "histograms"), figure


def _name(kind: Kind, name: str) -> str:
    return name if kind is Kind.ACTIVATION else f"{kind}-{name}"


def _titled(figure: Figure, title: str, *, subtitle: str = "") -> Figure:
    lines = subtitle.split("; ") if subtitle else []
    heading = {
        "text": title,
        "font": {"size": 15},
        "subtitle": {"text": ";<br>".join(lines), "font": {"color": "--soft", "size": 11}},
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": 1,
        "yanchor": "top",
        "pad": {"t": 10},
    }
    margin = {"l": 8, "r": 12, "t": _TITLE + _SUBTITLE * len(lines), "b": 40}
    return {**figure, "layout": {**figure["layout"], "title": heading, "margin": margin}}


def _dotted(figure: Figure, title: str) -> Figure:
    """Return the figure with fewer dots, evenly chosen, and told of; lines keep theirs."""
    traces = []
    for trace in figure["data"]:
        step = 1 if trace["mode"] != "markers" else len(trace["x"]) // MOST_DOTS + 1
        fewer = {key: trace[key][::step] for key in _PER_DOT if key in trace}
        traces.append({**trace, **fewer})
    whole = traces == figure["data"]
    return _titled({**figure, "data": traces}, title, subtitle="" if whole else _SOME)


def _framed(figure: Figure, job_id: str) -> Figure:
    """Return the figure in colours that can be read whichever theme the page has.

    The page gives it a box; what a person zoomed into stays when news come.
    """
    given = {key: value for key, value in figure["layout"].items() if key != "height"}
    axes = {
        key: {"automargin": True, "gridcolor": "--rule", "linecolor": "--rule", **axis}
        for key, axis in given.items()
        if key[1:].startswith("axis")
    }
    layout = {
        "paper_bgcolor": "--surface",
        "plot_bgcolor": "--surface",
        "font": {"color": "--ink", "size": 11},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "uirevision": job_id,
        **given,
        **axes,
    }
    return {"data": painted(figure["data"]), "layout": painted(layout)}


def _json(figure: Figure) -> str:
    return json.dumps(_rounded(figure), separators=(",", ":"), allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
