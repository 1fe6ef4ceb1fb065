"""The paper's tables and figures for one network, as an HTML page and as Markdown."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
from typing import Any

from search import paper
from search.allocation import FLOAT_BIT_WIDTH
from service.figures.layers import Layer
from service.figures.methods import methods_figure
from service.report import tables
from service.report.frame import document as page_of
from service.report.frame import plot
from service.report.frame import section
from service.report.histograms import multiples
from service.words import metric_in_words
from service.words import percent

Document = Mapping[str, Any]

#: key of the lines -> heading, in the paper's order
TABLES = {
    "I": "Table I: uniform quantization, one bit-width and one step for all layers",
    "II/III": "Tables II and III: nonuniform, a bit-width per layer and one step for all",
    "IV/V": "Tables IV and V: discrete, evenly spaced numbers between a layer's min and max",
    "VI": "Table VI: k-means clustering, without and with an upper bound, linear layers at 8 bits",
    "VII": "Beside the paper's methods: Lin et al.'s closed form, and bitfloor's search",
}
SUMMARY = "Table VII: the smallest of each method that holds the floor"
COLUMNS = ("row", "method", "bits", "saved", "accuracy", "drop", "floor", "paper", "layer by layer")
COMPARED = (
    *("method", "row", "bits", "saved", "accuracy", "drop", "of Lin's"),
    *("paper", "paper: saved", "paper: of Lin's"),
)
MEASURED = (
    "Every row is measured on the certification split. Searched rows and those of Lin et al. are "
    "the first of those that held the floor on the search split to hold it here; how many before "
    "it missed it here is told beside them. Table VII picks rows by what is measured here, which "
    "flatters every method a little. Saved is of the memory of all quantization points in float32, "
    "computed from elements and bits; where the paper prints another figure for the same "
    "allocation, this one is the arithmetic's."
)
PUBLISHED = (
    "What is headed paper is what the paper printed for VGG-16, or AlexNet, at 224 × 224: top-5 "
    "accuracy on ImageNet, from 88.5 % in float32. It is another network and other data than here "
    "unless the names above say otherwise."
)
FITTED = (
    "The paper does not tell the bound of k-means with bound. Here it is fitted for every point, "
    "for the least absolute error"
)
BEFORE = (
    "What goes into the activation function, as in the paper's figure, on the calibration split; "
    "heights are square roots. The line is the normal distribution of the same mean and deviation, "
    "and the share is what the two have in common. bitfloor stores, and quantizes, what comes out."
)
AFTER = "What is stored, after the activation function, and the levels of {kind} below."
FLOORS = {True: "held", False: "missed"}


def markdown(found: Document) -> str:
    """Return the report as Markdown."""
    parts = [f"# {found['model']} on {found['dataset']}: the paper's tables", *_preamble(found)]
    parts += [f"## {SUMMARY}", _markdown_table(COMPARED, _best(found))]
    for name, heading in TABLES.items():
        if rows := _rows(found, name):
            parts += [f"## {heading}", _markdown_table(COLUMNS, rows)]
    return "\n\n".join(parts) + "\n"


def render(found: Document) -> str:
    """Return the report as one self-contained HTML page."""
    best = plot(
        "methods",
        "Bits a value against accuracy, a mark per row",
        caption="Left and up is better; the line is the floor.",
    )
    preamble = "".join(f"<p>{escape(p)}</p>" for p in _preamble(found))
    compared = tables.table("Methods compared", COMPARED, rows=_best(found))
    body = [
        section("about", "What this is", body=preamble),
        section("summary", SUMMARY, body=best + compared),
        *(_table(found, name) for name in TABLES if _rows(found, name)),
        _before_activation(found),
        *(_levels(found, kind) for kind in found["levels"]),
    ]
    title = f"{found['model']} on {found['dataset']}"
    return page_of(title, "".join(body), figures={"methods": methods_figure(found)})


def _preamble(found: Document) -> list[str]:
    metric = metric_in_words(found["metric"])
    given = [f"{value:g} for {point}" for point, value in found["upper_bounds"].items()]
    return [
        (
            f"The {metric} of the float network is {percent(found['float_accuracy'], 2)} on "
            f"{found['images']:,} images; the floor is {percent(found['floor'], 2)}. "
            f"The paper's methods are searched with tpe, bitfloor's own with {found['sampler']}."
        ),
        MEASURED,
        PUBLISHED,
        f"{FITTED}{', or as the spec gives it: ' if given else ''}{', '.join(given)}.",
    ]


def _table(found: Document, name: str) -> str:
    heading = TABLES[name]
    table = tables.table(heading.partition(":")[0], COLUMNS, rows=_rows(found, name))
    return section(f"t-{name.replace('/', '-')}", escape(heading), body=table)


def _rows(found: Document, table: str) -> list[tuple[str, ...]]:
    return [_row(line) for line in found["lines"] if line["table"] == table]


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        line["label"],
        line["method"],
        f"{line['average_bits']:.2f}",
        percent(line["saved"], 2),
        percent(line["accuracy"], 2),
        percent(line["drop"], 2),
        FLOORS[line["holds"]],
        _printed(line["published"], 2),
        _shown(line["bits"]),
    )


def _best(found: Document) -> list[tuple[str, ...]]:
    """Return Table VII, in the order of the paper."""
    lines = {method: found["lines"][index] for method, index in found["best"].items()}
    lin = lines.get(paper.LIN)
    return [
        (
            method,
            line["label"],
            *_row(line)[2:6],
            percent(line["memory_bytes"] / lin["memory_bytes"]) if lin else "-",
            *_printed_best(method),
        )
        for method, line in lines.items()
    ]


def _printed_best(method: str) -> tuple[str, str, str]:
    row = next((row for row in paper.BEST if row.method == method), None)
    if row is None:
        return ("-", "-", "-")
    return (_printed(row.accuracy, 2), _printed(row.saved, 1), _printed(row.of_lin, 1))


def _printed(per_cent: float | None, digits: int) -> str:
    return "-" if per_cent is None else f"{per_cent:.{digits}f} %"


def _shown(bits: Sequence[int]) -> str:
    return f"{bits[0]} everywhere" if len(set(bits)) == 1 else " ".join(map(str, bits))


def _before_activation(found: Document) -> str:
    """Return the paper's Figure 1."""
    layers = [_layer(point) for point in found["points"]]
    drawn = multiples(layers, found["before_activation"], normal=True)
    heading = "Figure 1: the distribution of activations"
    return section("figure-1", heading, body=f"<p>{BEFORE}</p>{drawn}")


def _levels(found: Document, kind: str) -> str:
    """Return the paper's Figure 2 for one quantizer."""
    layers = [
        _layer(
            point,
            quantizer=kind,
            bit_width=found["levels_bits"],
            levels=tuple(found["levels"][kind].get(point["name"], ())),
        )
        for point in found["points"]
    ]
    note = f"<p>{escape(AFTER.format(kind=kind))}</p>"
    heading = f"Figure 2: the levels of {escape(kind)}"
    return section(f"levels-{kind}", heading, body=note + multiples(layers, found["histograms"]))


def _layer(point: Mapping[str, Any], **chosen: Any) -> Layer:
    free = {"quantizer": None, "bit_width": FLOAT_BIT_WIDTH}
    sizes = {"name": point["name"], "elements": point["elements"]}
    return Layer(**sizes, **(free | chosen), bytes_before=0, bytes_after=0)


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, rows)])
