"""The paper's tables and figures for one network, as an HTML page and as Markdown."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
from typing import Any

from service.report import tables
from service.report.frame import document as page_of
from service.report.frame import plot
from service.report.frame import section
from service.report.histograms import multiples
from service.report.layers import Layer
from service.report.methods import methods_figure
from service.report.words import metric_in_words
from service.report.words import percent

Document = Mapping[str, Any]

#: the paper's tables I to VI, in its order, and what each is about
TABLES = (
    ("I", "Uniform quantization: one bit-width and one step for all layers"),
    ("II/III", "Nonuniform quantization: a bit-width per layer, one step for all"),
    ("IV/V", "Discrete nonuniform quantization: evenly spaced numbers between min and max"),
    ("VI", "K-means clustering, without and with an upper bound, linear layers apart"),
)
COLUMNS = ("row", "method", "bits", "saved", "accuracy", "drop", "floor", "published", "layers")
MEASURED = (
    "Every row is measured on the certification split, which no method was tuned on. Searched rows "
    "were found on the search split. Saved is of the memory of all quantization points in float32, "
    "computed from elements and bits; where the paper prints another figure for the same "
    "allocation, this one is the arithmetic's."
)
FLOORS = {True: "held", False: "missed"}


def markdown(found: Document) -> str:
    """Return the report as Markdown."""
    parts = [f"# {found['model']} on {found['dataset']}: the paper's tables", *_preamble(found)]
    for name, heading in TABLES:
        if rows := _rows(found, name):
            parts += [f"## Table {name}: {heading}", _markdown_table(COLUMNS, rows)]
    parts += ["## Table VII: the smallest of each method that holds the floor"]
    parts.append(_markdown_table(COLUMNS, _best(found)))
    return "\n\n".join(parts) + "\n"


def render(found: Document) -> str:
    """Return the report as one self-contained HTML page."""
    title = f"{found['model']} on {found['dataset']}"
    figure = methods_figure(found)
    best = plot(
        "methods",
        "Bits a value against accuracy, a mark per row",
        caption="Left and up is better; the line is the floor.",
    )
    body = [
        section(
            "about", "What this is", body="".join(f"<p>{escape(p)}</p>" for p in _preamble(found))
        ),
        section(
            "table-vii",
            "Table VII: the smallest of each method that holds the floor",
            body=best + tables.table("Methods compared", COLUMNS, rows=_best(found)),
        ),
    ]
    for name, heading in TABLES:
        if rows := _rows(found, name):
            table = tables.table(f"Table {name}", COLUMNS, rows=rows)
            body.append(
                section(f"t-{name.replace('/', '-')}", f"Table {name}: {heading}", body=table)
            )
    body += [_figure(found, kind) for kind in found["levels"]]
    return page_of(title, "".join(body), figures={"methods": figure})


def _preamble(found: Document) -> list[str]:
    metric = metric_in_words(found["metric"])
    return [
        (
            f"The {metric} of the float network is {percent(found['float_accuracy'], 2)} on "
            f"{found['images']:,} images; the floor is {percent(found['floor'], 2)}."
        ),
        MEASURED,
    ]


def _rows(found: Document, table: str) -> list[tuple[str, ...]]:
    return [_row(line) for line in found["lines"] if line["table"] == table]


def _best(found: Document) -> list[tuple[str, ...]]:
    return [_row(found["lines"][index]) for index in found["best"].values()]


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    published = line["published"]
    return (
        line["label"],
        line["method"],
        f"{line['average_bits']:.2f}",
        percent(line["saved"], 2),
        percent(line["accuracy"], 2),
        percent(line["drop"], 2),
        FLOORS[line["holds"]],
        "-" if published is None else f"{published:.2f} %",
        _shown(line["bits"]),
    )


def _shown(bits: Sequence[int]) -> str:
    return f"{bits[0]} everywhere" if len(set(bits)) == 1 else " ".join(map(str, bits))


def _figure(found: Document, kind: str) -> str:
    """Return the paper's Figures 1 and 2: what is stored, and where a quantizer's levels lie."""
    layers = [
        Layer(
            name=point["name"],
            elements=point["elements"],
            quantizer=kind,
            bit_width=found["levels_bits"],
            bytes_before=0,
            bytes_after=0,
            levels=tuple(found["levels"][kind].get(point["name"], ())),
        )
        for point in found["points"]
    ]
    note = f"<p>Activations as they are stored, and the levels of {escape(kind)} below.</p>"
    drawn = multiples(layers, found["histograms"])
    return section(f"levels-{kind}", f"Figures 1 and 2: {escape(kind)}", body=note + drawn)


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, rows)])
