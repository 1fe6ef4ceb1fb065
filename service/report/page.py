"""Renders a job, finished or not, as one HTML page that needs no network."""

from collections.abc import Sequence
from html import escape
from typing import Any

from service.report import bars
from service.report import scatter
from service.report import tables
from service.report.frame import document
from service.report.frame import plot
from service.report.frame import section
from service.report.histograms import MOST_TICKS
from service.report.histograms import multiples
from service.report.layers import Choice
from service.report.layers import choice
from service.report.verdict import verdict
from service.store.values import Job
from service.store.values import Setup
from service.store.values import StoredTrial


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
    sections.append(section("asked", "What was asked for", body=tables.facts(job)))
    return document(title, "".join(sections), figures=figures)


def _trial_sections(
    setup: Setup,
    trials: Sequence[StoredTrial],
    *,
    front: Sequence[StoredTrial],
    figures: dict[str, Any],
) -> list[str]:
    if not trials:
        return []
    float_bits = setup.float_bits
    results = [stored.result for stored in trials]
    best = [stored.result for stored in front]
    figures["front"] = scatter.front_figure(
        setup.baseline, results, front=best, float_bits=float_bits
    )
    if front:
        figures["progress"] = scatter.progress_figure(results, float_bits=float_bits)
    table = tables.front_table(front, setup) if front else ""
    front_plot = plot(
        "front",
        "Memory against accuracy for every trial, with the Pareto front and the accuracy floor",
        caption=f"Each mark is one allocation, evaluated on {setup.baseline.images:,} images of "
        "the search split; left and up is better. Marks on the lower edge are further below.",
    )
    progress = plot(
        "progress",
        "The least memory that held the floor, against the images evaluated so far",
        caption="The steps are the allocations that took the lead.",
    )
    return [
        section("pareto", "Memory against accuracy", body=front_plot + table),
        *([section("search", "How the search came to it", body=progress)] if front else []),
    ]


def _layer_sections(chosen: Choice, figures: dict[str, Any]) -> list[str]:
    figures["bits"] = bars.bits_figure(chosen.layers)
    figures["memory"] = bars.memory_figure(chosen.layers)
    shown = escape(f"Shown is {chosen.title}.")
    bits = plot("bits", "Bits of every layer, coloured by quantizer", caption=shown)
    memory = plot("memory", "Memory of every layer in float32 and as chosen", caption=shown)
    table = f"<p>{shown}</p>{tables.layer_table(chosen.layers)}"
    return [
        section("layer-bits", "Bits, layer by layer", body=bits),
        section("layer-memory", "Memory, layer by layer", body=memory),
        section("layers", "Every layer", body=table),
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
    return section("activations", "Activations and their levels", body=note + drawn)


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
