"""Renders a job, finished or not, as one HTML page that needs no network."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from search.allocation import Kind
from search.pareto import hypervolume
from search.pareto import reference
from search.spec import MEASURED
from search.trial import TrialResult
from service.figures import bars
from service.figures import progress
from service.figures import scatter
from service.figures.layers import Choice
from service.figures.layers import by_kind
from service.figures.layers import choice
from service.figures.multiples import MOST_TICKS
from service.report import tables
from service.report.frame import around
from service.report.frame import plot
from service.report.frame import section
from service.report.histograms import multiples
from service.store.values import Job
from service.store.values import Setup
from service.store.values import StoredTrial
from service.verdict import verdict
from service.words import BIT_OPERATIONS
from service.words import percent
from service.words import taken_in_words

#: kind -> what its sections and plots are named with, and how headings begin and end
SECTIONS = {Kind.ACTIVATION: ("", "activations"), Kind.WEIGHT: ("weight-", "weights")}

#: goal -> when a trial ends
STOPS = {
    "floor": "A trial stops as soon as its verdict is clear.",
    "front": "A trial stops as soon as one that takes no more memory is known to be at least as "
    "accurate.",
}


def render(  # rule: positional, because all three are what a page is made of
    job: Job, trials: Sequence[StoredTrial], front: Sequence[StoredTrial]
) -> str:
    """Return the page; trials in order, the front fewest bits first, both as far as there are."""
    return b"".join(pieces(job, trials, front)).decode()


def pieces(  # rule: positional, because all three are what a page is made of
    job: Job, trials: Sequence[StoredTrial], front: Sequence[StoredTrial]
) -> tuple[bytes, ...]:
    """Return the page of `render` in UTF-8, the script that all pages share as one object."""
    spec = job.submission.spec
    title = f"{spec.model} on {spec.dataset}"
    chosen = choice(job)
    figures: dict[str, Any] = {}
    sections = [_verdict(job)]
    if job.setup and trials:
        sections.append(_front(job, job.setup, trials=trials, front=front, figures=figures))
        sections.append(_search(job, job.setup, trials=trials, figures=figures))
    if chosen.title:
        sections += _layer_sections(chosen, figures)
    if job.setup:
        sections += _histograms(chosen, job.setup)
    sections.append(section("asked", "What was asked for", body=tables.facts(job)))
    return around(title, "".join(sections), figures=figures)


def _front(
    job: Job,
    setup: Setup,
    *,
    trials: Sequence[StoredTrial],
    front: Sequence[StoredTrial],
    figures: dict[str, Any],
) -> str:
    objective, goal = job.submission.spec.minimizes, job.submission.spec.goal
    results = [stored.result for stored in trials]
    best = [stored.result for stored in front]
    dots = scatter.front_figure(setup, results, front=best, objective=objective, goal=goal)
    figures["front"] = scatter.ringed(
        dots, setup, trials=results, objective=objective, shown=choice(job)
    )
    early = (
        " Where fewer decided, accuracy is the float model's less the drop on those."
        if any(not result.complete for result in results)
        else ""
    )
    proof = (
        " To hold takes more than the floor: the rates that a certificate would need."
        if goal == "floor" and job.submission.spec.confidence > MEASURED
        else ""
    )
    front_plot = plot(
        "front",
        "Cost against accuracy for every trial, with the Pareto front and the accuracy floor",
        caption=f"Each mark is one allocation, on up to {setup.baseline.images:,} images of the "
        f"search split; left and up is better.{proof}{early} "
        "Marks on the lower edge are further below. The front holds what was evaluated on all "
        "images.",
    )
    volume = f"<p>{escape(_volume(setup, best))}</p>" if goal == "front" and front else ""
    table = tables.front_table(front, setup, objective=objective) if front else ""
    what = "Bit operations" if objective == BIT_OPERATIONS else "Memory"
    return section("pareto", f"{what} against accuracy", body=volume + front_plot + table)


def _volume(setup: Setup, front: Sequence[TrialResult]) -> str:
    share = hypervolume(front, baseline=setup.baseline, float_cost=setup.float_bits)
    return (
        f"{len(front):,} allocations are dominated by no other. Together they dominate "
        f"{percent(share)} of the box from {percent(reference(setup.baseline))} accuracy, half of "
        "the float model's, to all of it, and from nothing to what the float network takes. They "
        "were measured on the search split; only the one told above, if there is one, is certified."
    )


def _search(
    job: Job, setup: Setup, *, trials: Sequence[StoredTrial], figures: dict[str, Any]
) -> str:
    results = [stored.result for stored in trials]
    parts = [f"<p>{escape(_spent(setup, trials))}</p>"]
    if job.taken is not None:
        started = taken_in_words(str(job.submission.from_job), asdict(job.taken))
        parts.append(f"<p>{escape(started)}</p>")
    if any(result.feasible for result in results):
        figures["progress"] = progress.progress_figure(
            setup, results, objective=job.submission.spec.minimizes
        )
        parts.append(
            plot(
                "progress",
                "The least that held, against the images evaluated so far",
                caption="The steps are the allocations that took the lead. A full pass is one "
                "evaluation of all images of the search split.",
            )
        )
    figures["images"] = progress.images_figure(setup, results)
    parts.append(
        plot(
            "images",
            "The share of the search split that each trial took",
            caption=STOPS[job.submission.spec.goal],
        )
    )
    parts.append(tables.origins_table(trials))
    return section("search", "How the search came to it", body="".join(parts))


def _spent(setup: Setup, trials: Sequence[StoredTrial]) -> str:
    results = [stored.result for stored in trials if not stored.result.earlier]
    if not results:
        return "No allocation was evaluated: all trials are those of an earlier job."
    images = sum(result.spent for result in results)
    passes = progress.running_passes(setup, results)[-1]
    early = sum(not result.complete for result in results)
    return (
        f"{len(results):,} trials evaluated {images:,} images, as many as {passes:,.1f} full "
        f"passes: {percent(passes / len(results))} of evaluating every trial in full. {early:,} "
        f"were decided on part of the {setup.baseline.images:,} images."
    )


def _layer_sections(chosen: Choice, figures: dict[str, Any]) -> list[str]:
    looks = bars.looks_of(chosen.layers)
    shown = escape(f"Shown is {chosen.title}.")
    drawn = {"bits": "", "memory": "", "layers": ""}
    kinds = by_kind(chosen.layers)
    for kind, layers in kinds.items():
        prefix, plural = SECTIONS[kind]
        figures[f"{prefix}bits"] = bars.bits_figure(layers, looks)
        figures[f"{prefix}memory"] = bars.memory_figure(layers)
        whose = f" of the {plural}" if len(kinds) > 1 else ""
        drawn["bits"] += plot(
            f"{prefix}bits",
            f"Bits{whose} of every layer, coloured by quantizer",
            caption=f"Bits{whose}. {shown}",
        )
        drawn["memory"] += plot(
            f"{prefix}memory",
            f"Memory{whose} of every layer in float32 and as chosen",
            caption=f"Memory{whose}. {shown}",
        )
        drawn["layers"] += tables.layer_table(layers, f"All {plural}, in network order")
    return [
        section("layer-bits", "Bits, layer by layer", body=drawn["bits"]),
        section("layer-memory", "Memory, layer by layer", body=drawn["memory"]),
        section("layers", "Every layer", body=f"<p>{shown}</p>{drawn['layers']}"),
    ]


def _histograms(chosen: Choice, setup: Setup) -> list[str]:
    sections = []
    for kind, layers in by_kind(chosen.layers).items():
        drawn = multiples(layers, setup.histograms)
        if drawn:
            prefix, plural = SECTIONS[kind]
            source = "over the calibration split" if kind is Kind.ACTIVATION else "of the weights"
            note = (
                f"<p>Histograms {source}; heights are square roots of counts, and the tallest bin "
                "is cut off. Below each are the values that can be stored, once they are fitted, "
                f"as ticks, or as a band where there are more than {MOST_TICKS}.</p>"
            )
            heading = f"{plural.capitalize()} and their levels"
            sections.append(section(f"{prefix}levels", heading, body=note + drawn))
    return sections


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
