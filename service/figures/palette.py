"""The colours of every figure by name: as a style for pages, or painted in for others to draw."""

from typing import Any

#: on light paper, and printed
LIGHT = {
    "--surface": "#ffffff",
    "--card": "#f6f8fa",
    "--ink": "#1b2430",
    "--soft": "#57616e",
    "--rule": "#d5dbe2",
    "--held": "#0072b2",
    "--missed": "#8a6d3b",
    "--front": "#0072b2",
    "--floor": "#b03a00",
    "--quiet": "#a3adb9",
    "--quiet-text": "#57616e",
    "--good": "#00694b",
    "--bad": "#b03a00",
    "--open": "#57616e",
    "--first": "#0072b2",
    "--second": "#d98200",
    "--third": "#007d5c",
    "--fourth": "#b3548b",
    "--fifth": "#4a90c2",
}
#: the same names on a dark screen
DARK = {
    "--surface": "#12171e",
    "--card": "#1b222c",
    "--ink": "#e8ecf1",
    "--soft": "#a9b4c0",
    "--rule": "#364150",
    "--held": "#56b4e9",
    "--missed": "#c9a35c",
    "--front": "#56b4e9",
    "--floor": "#ff8a4c",
    "--quiet": "#5f6c7b",
    "--quiet-text": "#a9b4c0",
    "--good": "#3fcf9f",
    "--bad": "#ff8a4c",
    "--open": "#a9b4c0",
    "--first": "#56b4e9",
    "--second": "#f0b13c",
    "--third": "#35c496",
    "--fourth": "#e39ac4",
    "--fifth": "#9dc9e6",
}
_COLOR_KEYS = (
    "color",
    "fgcolor",
    "fillcolor",
    "gridcolor",
    "linecolor",
    "paper_bgcolor",
    "plot_bgcolor",
)


def style() -> str:
    """Return CSS variables of these names, for whichever scheme the reader prefers."""
    return (
        f":root {{ {_variables(LIGHT)} }}\n"
        "@media (prefers-color-scheme: dark) { "
        f":root:not([data-print]) {{ {_variables(DARK)} }} }}\n"
    )


def painted(figure: Any) -> Any:
    """Return a copy of a figure with its names of colours replaced by those on light paper.

    Nothing but colours is looked up: a layer may be called as a colour is.
    """
    if isinstance(figure, dict):
        return {
            key: LIGHT.get(value, value)
            if key in _COLOR_KEYS and isinstance(value, str)
            else painted(value)
            for key, value in figure.items()
        }
    return [painted(one) for one in figure] if isinstance(figure, list | tuple) else figure


def _variables(colors: dict[str, str]) -> str:
    return " ".join(f"{name}: {color};" for name, color in colors.items())
