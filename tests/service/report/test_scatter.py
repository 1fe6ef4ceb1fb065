"""The figures with a dot per trial."""

from search.cost import float_memory_bits
from service.report import scatter
from tests.service.report import samples

FLOAT_BITS = float_memory_bits(samples.POINTS)


def figure() -> scatter.Figure:
    """Return the front figure of a search."""
    found = samples.trials()
    return scatter.front_figure(
        samples.BASELINE,
        [stored.result for stored in found],
        front=[stored.result for stored in samples.front(found)],
        float_bits=FLOAT_BITS,
    )


class TestFrontFigure:
    def test_every_trial_is_drawn_once(self) -> None:
        assert sum(len(trace["x"]) for trace in figure()["data"]) == len(samples.trials())

    def test_every_mark_lies_within_the_accuracy_axis(self) -> None:
        drawn = figure()
        low, high = drawn["layout"]["yaxis"]["range"]
        assert all(low < y < high for trace in drawn["data"] for y in trace["y"])

    def test_the_floor_is_drawn_at_its_value(self) -> None:
        lines = [shape["y0"] for shape in figure()["layout"]["shapes"]]
        assert samples.BASELINE.floor in lines

    def test_only_trials_that_held_the_floor_are_called_so(self) -> None:
        held = next(t for t in figure()["data"] if t["name"].startswith("held"))
        assert all(y >= samples.BASELINE.floor for y in held["y"])


class TestProgressFigure:
    def test_the_line_only_falls_and_ends_with_the_last_trial(self) -> None:
        results = [stored.result for stored in samples.trials()]
        line = scatter.progress_figure(results, float_bits=FLOAT_BITS)["data"][0]
        assert line["y"] == sorted(line["y"], reverse=True)
        assert line["x"][-1] == sum(result.hits.images for result in results)


class TestThinned:
    def test_few_are_all_kept(self) -> None:
        results = [stored.result for stored in samples.trials(10)]
        assert list(scatter.thinned(results)) == results

    def test_many_are_bounded(self) -> None:
        results = [samples.trial(0)] * (5 * scatter.MOST_DOTS)
        assert 0 < len(scatter.thinned(results)) <= scatter.MOST_DOTS
