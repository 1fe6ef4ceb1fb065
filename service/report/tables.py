"""The report's tables: every layer, the Pareto front, who proposed what, what was asked for."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from html import escape

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.rules import PointRule
from service.figures.layers import Layer
from service.store.values import Job
from service.store.values import Setup
from service.store.values import StoredTrial
from service.words import amount_in_words
from service.words import bytes_in_words
from service.words import objective_in_words
from service.words import percent

#: columns that hold words, on the left; numbers line up on the right
NAMES = ("layer", "trial", "row", "method", "quantizer", "layer by layer", "proposed by", "floor")
#: columns that name their row
ROW_HEADS = ("layer", "trial", "row", "proposed by")


def layer_table(layers: Sequence[Layer], caption: str) -> str:
    """Return one row a layer, and their sum."""
    before = sum(layer.bytes_before for layer in layers)
    after = sum(layer.bytes_after for layer in layers)
    rows = [
        (
            layer.name,
            f"{layer.elements:,}",
            layer.quantizer or "float32",
            str(layer.bit_width),
            bytes_in_words(layer.bytes_before),
            bytes_in_words(layer.bytes_after),
            percent(1 - layer.bytes_after / layer.bytes_before) if layer.bytes_before else "-",
        )
        for layer in layers
    ]
    total = (
        "all layers",
        f"{sum(layer.elements for layer in layers):,}",
        "",
        f"{8 * after / max(sum(layer.elements for layer in layers), 1):.2f}",
        bytes_in_words(before),
        bytes_in_words(after),
        percent(1 - after / before) if before else "-",
    )
    columns = ("layer", "values", "quantizer", "bits", "before", "after", "saved")
    return table(caption, columns, rows=rows, footer=total)


def front_table(front: Sequence[StoredTrial], setup: Setup, *, objective: str) -> str:
    """Return one row a trial, fewest bits first; with the verdict where not all held."""
    told = not all(stored.result.feasible for stored in front)
    rows = [
        (
            str(trial.number),
            amount_in_words(trial.memory_bits / 8, objective),
            percent(setup.saved(trial.memory_bits)),
            f"{setup.average_bits(trial.allocation):.2f}",
            percent(trial.hits.accuracy, 2),
            percent(trial.hits.drop, 2),
            *((str(trial.verdict),) if told else ()),
            _bits_of(trial.allocation, setup.points),
        )
        for trial in (stored.result for stored in front)
    ]
    verdict = ("floor",) if told else ()
    columns = ("trial", "memory", "saved", "bits", "accuracy", "drop", *verdict, "layer by layer")
    return table("The Pareto front, fewest bits first", columns, rows=rows)


def origins_table(trials: Sequence[StoredTrial]) -> str:
    """Return one row for each who proposed, in the order of their first trials."""
    results = [stored.result for stored in trials]
    every = sum(result.spent for result in results)
    rows = []
    for origin in dict.fromkeys(result.origin for result in results):
        own = [result for result in results if result.origin == origin]
        images = sum(result.spent for result in own)
        held = sum(result.feasible for result in own)
        share = percent(images / every) if every else "-"
        rows.append((origin, f"{len(own):,}", f"{held:,}", f"{images:,}", share))
    columns = ("proposed by", "trials", "held", "images", "share of the images")
    return table("Who proposed what", columns, rows=rows)


def facts(job: Job) -> str:
    """Return what was asked for, as a definition list."""
    spec = job.submission.spec
    asked: Mapping[str, object] = {
        "job": job.id,
        "tolerance": f"{spec.tolerance:g}",
        "quantizers": ", ".join(spec.quantizers),
        "bit-widths": ", ".join(map(str, spec.bit_widths)),
        **{f"rule {pattern}": _rule(rule) for pattern, rule in spec.points},
        "target": spec.target,
        "tied points": "those that meet" if spec.tie == "join" else "none",
        "objective": objective_in_words(spec.minimizes),
        "goal": spec.goal,
        "confidence": f"{spec.confidence:g}",
        "sampler": spec.sampler,
        "seed": spec.seed,
        "trials": f"{job.progress.trials:,} of {spec.budget:,}",
        **({"answered from job": job.answered_by} if job.answered_by else {}),
        **({"started from job": job.submission.from_job} if job.submission.from_job else {}),
        "images evaluated": f"{job.progress.images_evaluated:,}",
        **{f"label {name}": value for name, value in job.submission.labels.items()},
    }
    pairs = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in asked.items()
    )
    return f'<dl class="facts">{pairs}</dl>'


def _rule(rule: PointRule) -> str:
    said = rule.said()
    if said.pop("exclude", False):
        return "float32"
    if "upper_bound" in said:
        said["upper_bound"] = (f"upper bound {said['upper_bound']:g}",)
    return "; ".join(", ".join(map(str, choice)) for choice in said.values()) or "quantized"


def _bits_of(allocation: BitAllocation, points: Sequence[QuantizationPoint]) -> str:
    """Return the bit-widths in network order, those of weights after a bar."""
    kinds = (
        " ".join(_bits(allocation.get(point.name)) for point in points if point.kind is kind)
        for kind in Kind
    )
    return " | ".join(bits for bits in kinds if bits)


def _bits(config: object) -> str:
    return str(getattr(config, "bit_width", "-"))


def table(
    caption: str,
    columns: Sequence[str],
    *,
    rows: Iterable[Sequence[str]],
    footer: Sequence[str] = (),
) -> str:
    """Return a table; columns of numbers are on the right."""
    # focusable, so that what scrolls can be scrolled by keyboard
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead>{_row(columns, columns, tag='th')}</thead>"
        f"<tbody>{''.join(_row(row, columns) for row in rows)}</tbody>"
        f"{f'<tfoot>{_row(footer, columns)}</tfoot>' if footer else ''}</table></div>"
    )


def _row(cells: Sequence[str], columns: Sequence[str], *, tag: str = "td") -> str:
    return f"<tr>{''.join(map(partial(_cell, tag=tag), cells, columns))}</tr>"


def _cell(text: str, column: str, *, tag: str) -> str:
    kind = ' class="name"' if column in NAMES else ""
    if tag == "th":
        return f'<th scope="col"{kind}>{escape(text)}</th>'
    if column in ROW_HEADS:
        return f'<th scope="row"{kind}>{escape(text)}</th>'
    return f"<td{kind}>{escape(text)}</td>"
