"""The figures with a bar per layer: bits, and memory before and after."""

from collections.abc import Mapping
from collections.abc import Sequence
from html import escape
from typing import Any

from search.allocation import MAX_BIT_WIDTH
from search.allocation import Kind
from service.figures.labels import labels
from service.figures.layers import Layer
from service.words import byte_unit

BAR_HEIGHT = 26  # pixels
#: of an upright figure, which is as wide as half a screen: labels, and characters in each
MOST_LABELS, MOST_LABEL = 40, 18
#: a colour and a pattern each, so that colour alone tells nothing
LOOKS = (("--first", ""), ("--second", "/"), ("--third", "x"), ("--fourth", "."), ("--fifth", "-"))
FLOAT_LOOK = ("--quiet", "")

Figure = dict[str, Any]
Looks = Mapping[str, tuple[str, str]]


def looks_of(layers: Sequence[Layer]) -> Looks:
    """Return how each quantizer looks, in every figure of these layers alike."""
    quantizers = sorted({layer.quantizer for layer in layers if layer.quantizer})
    return {name: LOOKS[index % len(LOOKS)] for index, name in enumerate(quantizers)}


def bits_figure(layers: Sequence[Layer], looks: Looks) -> Figure:
    """Return the bits of every layer, coloured by quantizer."""
    traces = [_bits(layers, name, look=look) for name, look in [*looks.items(), (None, FLOAT_LOOK)]]
    layout = _layout(layers, "bits a value")
    # whole bits: no tick between two of them
    layout["xaxis"]["dtick"] = 1 if max(layer.bit_width for layer in layers) <= MAX_BIT_WIDTH else 4
    return {"data": [trace for trace in traces if trace["x"]], "layout": layout}


def memory_figure(layers: Sequence[Layer]) -> Figure:
    """Return the memory of every layer in float32 and as chosen."""
    unit, size = byte_unit(max(layer.bytes_before for layer in layers))
    before = [layer.bytes_before / size for layer in layers]
    after = [layer.bytes_after / size for layer in layers]
    per = " an image" if all(layer.kind is Kind.ACTIVATION for layer in layers) else ""
    layout = _layout(layers, f"memory{per}, {unit}")
    return {
        "data": [
            _memory("float32", before, names=_names(layers), color="--quiet"),
            _memory("chosen", after, names=_names(layers), color="--front"),
        ],
        "layout": {**layout, "barmode": "overlay"},
    }


def upright(figure: Figure) -> Figure:
    """Return a figure of this module with its bars side by side, however many, at any height.

    Where there are many layers, not every one is labelled.
    """
    layout = {key: value for key, value in figure["layout"].items() if key != "height"}
    named, measured = layout["yaxis"], layout["xaxis"]
    names = labels(named["ticktext"], most=MOST_LABEL)
    step = len(names) // MOST_LABELS + 1
    named = {
        **named,
        "range": named["range"][::-1],
        "tickvals": named["tickvals"][::step],
        "ticktext": names[::step],
        "tickangle": -90,
    }
    return {
        "data": [_upright(trace) for trace in figure["data"]],
        "layout": {**layout, "xaxis": named, "yaxis": measured},
    }


def _upright(trace: Figure) -> Figure:
    template = trace["hovertemplate"].replace("%{x", "%{y")
    turned = {"orientation": "v", "x": trace["y"], "y": trace["x"], "hovertemplate": template}
    return {**trace, **turned}


def _bits(layers: Sequence[Layer], quantizer: str | None, *, look: tuple[str, str]) -> Figure:
    of_it = [(at, layer) for at, layer in enumerate(layers) if layer.quantizer == quantizer]
    color, pattern = look
    return {
        "type": "bar",
        "orientation": "h",
        "name": escape(quantizer or "float32"),
        "x": [layer.bit_width for _, layer in of_it],
        "y": [at for at, _ in of_it],
        "text": [str(layer.bit_width) for _, layer in of_it],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertext": [escape(layer.name) for _, layer in of_it],
        "hovertemplate": "%{hovertext}<br>%{x} bits<extra>%{fullData.name}</extra>",
        "marker": {"color": color, "pattern": _pattern(pattern)},
    }


def _pattern(shape: str) -> Figure:
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "--surface", "fgopacity": 0.4}


def _memory(name: str, amounts: Sequence[float], *, names: Sequence[str], color: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": amounts,
        "y": list(range(len(amounts))),
        "width": 0.8 if name == "float32" else 0.45,
        "hovertext": names,
        "hovertemplate": "%{hovertext}<br>%{x:.4g}<extra>%{fullData.name}</extra>",
        "marker": {"color": color},
    }


def _layout(layers: Sequence[Layer], title: str) -> Figure:
    return {
        "height": 130 + BAR_HEIGHT * len(layers),
        "barmode": "overlay",
        "showlegend": True,
        "xaxis": {"title": {"text": title}, "rangemode": "tozero"},
        "yaxis": {
            "tickvals": list(range(len(layers))),
            # page.js shortens and escapes them, as it knows how wide the page is
            "ticktext": [layer.name for layer in layers],
            "range": [len(layers) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    }


def _names(layers: Sequence[Layer]) -> list[str]:
    return [escape(layer.name) for layer in layers]
