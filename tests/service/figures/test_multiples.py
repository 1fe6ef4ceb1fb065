"""The figure with a histogram per layer."""

from dataclasses import replace

import pytest

from service.figures.layers import Layer
from service.figures.layers import choice
from service.figures.multiples import LEVELS_AT
from service.figures.multiples import MOST_TICKS
from service.figures.multiples import largest
from service.figures.multiples import multiples_figure
from tests.service.report import samples

LAYERS = choice(samples.succeeded()[0]).layers
HISTOGRAMS = samples.histograms()


class TestLargest:
    def test_they_are_those_that_store_most_in_network_order(self) -> None:
        layers = [replace(layer, bytes_before=float(n)) for n, layer in enumerate(LAYERS)]
        shown = largest(layers, HISTOGRAMS, most=3)
        assert [layer.name for layer in shown] == [layer.name for layer in LAYERS[-3:]]

    def test_one_without_a_histogram_is_left_out(self) -> None:
        known = {LAYERS[2].name: HISTOGRAMS[LAYERS[2].name]}
        assert [layer.name for layer in largest(LAYERS, known, most=9)] == [LAYERS[2].name]


class TestMultiplesFigure:
    def test_every_layer_has_axes_of_its_own_that_do_not_overlap(self) -> None:
        layout = multiples_figure(LAYERS, HISTOGRAMS)["layout"]
        places = [
            (*layout[f"xaxis{n}"]["domain"], *layout[f"yaxis{n}"]["domain"])
            for n in ("", *range(2, len(LAYERS) + 1))
        ]
        assert all(0 <= low < high <= 1.001 for x0, x1, y0, y1 in places
                   for low, high in ((x0, x1), (y0, y1)))  # fmt: skip
        for at, (x0, x1, y0, y1) in enumerate(places):
            for u0, u1, v0, v1 in places[at + 1 :]:
                assert x1 <= u0 or u1 <= x0 or y1 <= v0 or v1 <= y0

    def test_levels_hang_below_their_histogram(self) -> None:
        figure = multiples_figure(LAYERS[:1], HISTOGRAMS)
        area, ticks = figure["data"]
        assert tuple(ticks["x"]) == LAYERS[0].levels
        assert set(ticks["y"]) == {LEVELS_AT}
        assert min(area["y"]) >= 0
        assert max(area["y"]) == 1
        low, high = figure["layout"]["xaxis"]["range"]
        assert low < 0.0
        assert high > 4.0

    def test_a_codebook_beyond_what_was_seen_widens_the_axis(self) -> None:
        wide = replace(LAYERS[0], levels=(-1.0, 0.0, 9.0))
        assert multiples_figure([wide], HISTOGRAMS)["layout"]["xaxis"]["tickvals"] == [-1.0, 9.0]

    @pytest.mark.parametrize("count, modes", [(0, 1), (MOST_TICKS, 2), (MOST_TICKS + 1, 2)])
    def test_many_levels_are_one_band(self, count: int, modes: int) -> None:
        layer = replace(LAYERS[0], levels=tuple(float(n) for n in range(count)))
        traces = multiples_figure([layer], HISTOGRAMS)["data"]
        assert len(traces) == modes
        if count > MOST_TICKS:
            assert traces[1]["x"] == [0.0, float(count - 1)]
            assert traces[1]["mode"] == "lines"

    def test_a_name_is_text(self) -> None:
        layer = Layer(
            name="<i>", elements=1, quantizer=None, bit_width=32, bytes_before=4, bytes_after=4
        )
        figure = multiples_figure([layer], {"<i>": HISTOGRAMS[LAYERS[0].name]})
        assert figure["layout"]["annotations"][0]["text"] == "&lt;i&gt;, float32"
