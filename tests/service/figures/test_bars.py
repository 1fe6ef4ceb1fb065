"""The figures with a bar per layer."""

from service.figures import bars
from service.figures.layers import Layer
from service.figures.layers import choice
from tests.service.report import samples

LAYERS = choice(samples.succeeded()[0]).layers


def many(count: int) -> list[Layer]:
    layer = LAYERS[0]
    return [
        Layer(
            name=f"features.{n}",
            elements=8,
            quantizer=layer.quantizer,
            bit_width=4,
            bytes_before=32,
            bytes_after=4,
        )
        for n in range(count)
    ]


class TestUpright:
    def test_bars_stand_where_they_lay(self) -> None:
        for lying in (bars.bits_figure(LAYERS, bars.looks_of(LAYERS)), bars.memory_figure(LAYERS)):
            standing = bars.upright(lying)
            for before, after in zip(lying["data"], standing["data"], strict=True):
                assert (after["x"], after["y"]) == (before["y"], before["x"])
                assert "%{y" in after["hovertemplate"]
                assert "%{x" not in after["hovertemplate"]
                assert after["orientation"] == "v"
            assert standing["layout"]["yaxis"] == lying["layout"]["xaxis"]
            # from left to right, not from below
            assert standing["layout"]["xaxis"]["range"] == [-0.5, len(LAYERS) - 0.5]

    def test_its_height_is_the_callers(self) -> None:
        assert "height" not in bars.upright(bars.memory_figure(LAYERS))["layout"]

    def test_of_many_layers_some_are_labelled_and_all_are_drawn(self) -> None:
        figure = bars.upright(bars.memory_figure(many(300)))
        axis = figure["layout"]["xaxis"]
        assert len(axis["ticktext"]) == len(axis["tickvals"]) <= bars.MOST_LABELS
        assert axis["ticktext"][1] == f"features.{axis['tickvals'][1]}"
        assert len(figure["data"][0]["x"]) == 300

    def test_few_are_all_labelled(self) -> None:
        axis = bars.upright(bars.memory_figure(many(bars.MOST_LABELS - 1)))["layout"]["xaxis"]
        assert len(axis["ticktext"]) == bars.MOST_LABELS - 1
