"""Renders a job, finished or not, as one HTML page that needs no network."""

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from plotly.offline import get_plotlyjs

from search import cost
from service.report import bars
from service.report import scatter
from service.report import tables
from service.report.histograms import MOST_TICKS
from service.report.histograms import multiples
from service.report.layers import Choice
from service.report.layers import choice
from service.report.verdict import verdict
from service.store.values import Job
from service.store.values import Setup
from service.store.values import StoredTrial

#: the page may run what it brought along and load nothing, whatever a name in it contains
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)


def render(  # rule: positional, because all three are what a page is made of
    job: Job, trials: Sequence[StoredTrial], front: Sequence[StoredTrial]
) -> str:
    """Return the page; trials in order, the front fewest bits first, both as far as there are."""
    spec = job.submission.spec
    title = f"{spec.model} on {spec.dataset}"
    chosen = choice(job)
    figures: dict[str, Any] = {}
    sections = [_verdict(job)]
    if job.setup:
        sections += _trial_sections(job.setup, trials, front=front, figures=figures)
    if chosen.title:
        sections += _layer_sections(chosen, figures)
    if job.setup:
        sections.append(_activations(chosen, job.setup))
    sections.append(_section("asked", "What was asked for", body=tables.facts(job)))
    return _document(title, "".join(sections), figures=figures)


def embedded(value: object) -> str:
    """Return the value as JSON that a script element can hold: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _trial_sections(
    setup: Setup,
    trials: Sequence[StoredTrial],
    *,
    front: Sequence[StoredTrial],
    figures: dict[str, Any],
) -> list[str]:
    if not trials:
        return []
    float_bits = cost.float_memory_bits(setup.points)
    results = [stored.result for stored in trials]
    best = [stored.result for stored in front]
    figures["front"] = scatter.front_figure(
        setup.baseline, results, front=best, float_bits=float_bits
    )
    if front:
        figures["progress"] = scatter.progress_figure(results, float_bits=float_bits)
    table = tables.front_table(front, setup.points) if front else ""
    front_plot = _plot(
        "front",
        "Memory against accuracy for every trial, with the Pareto front and the accuracy floor",
        caption=f"Each mark is one allocation, evaluated on {setup.baseline.images:,} images of "
        "the search split; left and up is better. Marks on the lower edge are further below.",
    )
    progress = _plot(
        "progress",
        "The least memory that held the floor, against the images evaluated so far",
        caption="The steps are the allocations that took the lead.",
    )
    return [
        _section("pareto", "Memory against accuracy", body=front_plot + table),
        *([_section("search", "How the search came to it", body=progress)] if front else []),
    ]


def _layer_sections(chosen: Choice, figures: dict[str, Any]) -> list[str]:
    figures["bits"] = bars.bits_figure(chosen.layers)
    figures["memory"] = bars.memory_figure(chosen.layers)
    shown = escape(f"Shown is {chosen.title}.")
    bits = _plot("bits", "Bits of every layer, coloured by quantizer", caption=shown)
    memory = _plot("memory", "Memory of every layer in float32 and as chosen", caption=shown)
    table = f"<p>{shown}</p>{tables.layer_table(chosen.layers)}"
    return [
        _section("layer-bits", "Bits, layer by layer", body=bits),
        _section("layer-memory", "Memory, layer by layer", body=memory),
        _section("layers", "Every layer", body=table),
    ]


def _activations(chosen: Choice, setup: Setup) -> str:
    drawn = multiples(chosen.layers, setup.histograms)
    if not drawn:
        return ""
    note = (
        "<p>Histograms over the calibration split; heights are square roots of counts, and the "
        "tallest bin is cut off. Below each are the values that can be stored, once they are "
        f"fitted, as ticks, or as a band where there are more than {MOST_TICKS}.</p>"
    )
    return _section("activations", "Activations and their levels", body=note + drawn)


def _verdict(job: Job) -> str:
    found = verdict(job)
    body = "".join(f"<p>{_unbroken(sentence)}</p>" for sentence in found.sentences)
    return (
        f'<section class="verdict {found.tone}" aria-labelledby="verdict">'
        f'<h2 id="verdict">{escape(found.headline)}</h2>{body}</section>'
    )


def _unbroken(sentence: str) -> str:
    # a number stays on the line of its percent sign
    return escape(sentence).replace(" %", "\N{NO-BREAK SPACE}%")


def _section(name: str, heading: str, *, body: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{heading}</h2>{body}</section>'


def _plot(name: str, description: str, *, caption: str) -> str:
    return (
        f'<figure><div class="plot" id="plot-{name}" role="img" aria-label="{description}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _document(title: str, body: str, *, figures: dict[str, Any]) -> str:
    name = escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{name} - bitfloor</title><style>{_asset('page.css')}</style></head><body>"
        f"<header><p>bitfloor report</p><h1>{name}</h1></header><main>{body}</main>"
        "<noscript><p>The plots need JavaScript; the tables do not.</p></noscript>"
        f'<script type="application/json" id="figures">{embedded(figures)}</script>'
        f"<script>{get_plotlyjs()}</script><script>{_asset('page.js')}</script></body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return files("service.report").joinpath(name).read_text(encoding="utf-8")
