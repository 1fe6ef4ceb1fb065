"""Colours by name."""

import re
from typing import Any

from service.figures import bars
from service.figures import progress
from service.figures import scatter
from service.figures.layers import choice
from service.figures.palette import DARK
from service.figures.palette import LIGHT
from service.figures.palette import painted
from service.figures.palette import style
from tests.service.report import samples


def figures() -> list[Any]:
    job, found, front = samples.succeeded()
    assert job.setup is not None
    layers, results = choice(job).layers, [stored.result for stored in found]
    best = [stored.result for stored in front]
    cost = "activation_memory"
    return [
        scatter.front_figure(job.setup, results, front=best, objective=cost),
        progress.progress_figure(job.setup, results, objective=cost),
        progress.images_figure(job.setup, results),
        bars.bits_figure(layers, bars.looks_of(layers)),
        bars.memory_figure(layers),
    ]


class TestPainted:
    def test_every_colour_of_every_figure_is_known(self) -> None:
        assert "--" in str(figures())
        assert re.findall(r"'(--[a-z-]+)'", str(painted(figures()))) == []

    def test_a_layer_that_is_called_as_a_colour_keeps_its_name(self) -> None:
        found = painted({"text": "--held", "x": ["--held"], "color": "--held"})
        assert found == {"text": "--held", "x": ["--held"], "color": LIGHT["--held"]}

    def test_what_was_given_stays(self) -> None:
        given = {"marker": {"color": "--held"}}
        painted(given)
        assert given == {"marker": {"color": "--held"}}


class TestStyle:
    def test_both_schemes_have_every_name(self) -> None:
        assert LIGHT.keys() == DARK.keys()
        assert all(style().count(f" {name}: ") == 2 for name in LIGHT)
