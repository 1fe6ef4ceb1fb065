"""The frame of every report: one HTML document that needs no network, its sections and plots."""

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from plotly.offline import get_plotlyjs

from service.figures.palette import style

#: the page may run what it brought along and load nothing, whatever a name in it contains
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)


def embedded(value: object) -> str:
    """Return the value as JSON that a script element can hold: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def section(name: str, heading: str, *, body: str) -> str:
    """Return a section that its heading names; `body` is HTML."""
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{heading}</h2>{body}</section>'


def plot(name: str, description: str, *, caption: str) -> str:
    """Return the place of the plot that `document` is given under this name."""
    return (
        f'<figure><div class="plot" id="plot-{name}" role="img" aria-label="{description}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def document(title: str, body: str, *, figures: dict[str, Any]) -> str:
    """Return the whole page; `figures` are plotly figures by name, drawn into their places."""
    return b"".join(around(title, body, figures=figures)).decode()


def around(title: str, body: str, *, figures: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Return the whole page in UTF-8, with plotly's megabytes, the same for every page, between."""
    name = escape(title)
    before = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{name} - bitfloor</title><style>{style()}{_asset('page.css')}</style></head><body>"
        f"<header><p>bitfloor report</p><h1>{name}</h1></header><main>{body}</main>"
        "<noscript><p>The plots need JavaScript; the tables do not.</p></noscript>"
        f'<script type="application/json" id="figures">{embedded(figures)}</script>'
        "<script>"
    )
    after = f"</script><script>{_asset('page.js')}</script></body></html>\n"
    return before.encode(), _plotly(), after.encode()


@cache
def _plotly() -> bytes:
    script: str = get_plotlyjs()
    return script.encode()


@cache
def _asset(name: str) -> str:
    return files("service.report").joinpath(name).read_text(encoding="utf-8")
