"""The figure with a dot per trial."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from search.trial import Hits
from search.trial import Verdict
from service.figures import scatter
from service.figures.layers import Choice
from service.figures.layers import choice
from tests.service.report import front_samples
from tests.service.report import samples


def figure() -> scatter.Figure:
    """Return the front figure of a search."""
    found = samples.trials()
    return scatter.front_figure(
        samples.setup(),
        [stored.result for stored in found],
        front=[stored.result for stored in samples.front(found)],
        objective="activation_memory",
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
        held = next(t for t in figure()["data"] if t["name"].startswith("held ("))
        assert all(y >= samples.BASELINE.floor for y in held["y"])

    def test_one_decided_early_stands_where_its_drop_puts_it(self) -> None:
        # every image seen was right, because those seen were easy
        hits = Hits(images=100, correct=99, lost=1)
        early = replace(samples.trial(0), hits=hits, complete=False, verdict=Verdict.HELD)
        drawn = scatter.front_figure(
            samples.setup(), [early], front=[], objective="activation_memory"
        )
        (trace,) = drawn["data"]
        assert trace["name"] == "held, decided early (1)"
        assert trace["y"] == [pytest.approx(samples.BASELINE.accuracy - 0.01)]
        assert "held, decided after 100 of 1,000 images" in trace["text"][0]
        assert "proposed by uniform" in trace["text"][0]

    def test_bit_operations_are_no_bytes(self) -> None:
        setup = replace(samples.setup(), float_cost=3 * 10**12)
        trial = replace(samples.trial(1), memory_bits=10**12)
        drawn = scatter.front_figure(setup, [trial], front=[], objective="bit_operations")
        assert drawn["layout"]["xaxis"]["title"]["text"] == "tera bit operations an image"
        assert drawn["data"][0]["x"] == [1.0]
        assert "1.00 tera bit operations" in drawn["data"][0]["text"][0]


class TestWholeFront:
    """The figure of a search for the front."""

    def figure(self) -> scatter.Figure:
        job, found, front = front_samples.searched()
        return scatter.front_figure(
            samples.setup(),
            [stored.result for stored in found],
            front=[stored.result for stored in front],
            objective="activation_memory",
            goal=job.submission.spec.goal,
        )

    def test_all_but_the_front_is_grey(self) -> None:
        colors = {
            trace["name"].split(" (")[0]: trace["marker"]["color"]
            for trace in self.figure()["data"]
        }
        assert colors.pop("Pareto front") == "--front"
        assert {"dominated, stopped early"} <= set(colors)
        assert set(colors.values()) == {"--quiet"}

    def test_the_front_goes_on_below_the_floor(self) -> None:
        front = next(t for t in self.figure()["data"] if t["name"].startswith("Pareto"))
        assert min(front["y"]) < samples.BASELINE.floor < max(front["y"])

    def deep(self) -> scatter.Figure:
        """Return the figure of a front that goes far below half of the float accuracy."""
        trial = replace(samples.trial(0), hits=Hits(images=1000, correct=100, lost=854))
        return scatter.front_figure(
            samples.setup(), [trial], front=[trial], objective="activation_memory", goal="front"
        )

    def test_the_axis_reaches_down_to_the_front(self) -> None:
        drawn = self.figure()
        front = next(t for t in drawn["data"] if t["name"].startswith("Pareto"))
        low, _ = drawn["layout"]["yaxis"]["range"]
        assert min(front["y"]) - 0.05 < low < min(front["y"])

    def test_but_not_below_half_of_the_float_accuracy(self) -> None:
        low, high = self.deep()["layout"]["yaxis"]["range"]
        air = (high - low) * scatter.HEADROOM / (1 + 2 * scatter.HEADROOM)
        assert low + air == pytest.approx(0.5 * samples.BASELINE.accuracy)

    def test_the_labels_of_floor_and_float_do_not_overlap(self) -> None:
        apart, close = (drawn["layout"]["annotations"] for drawn in (figure(), self.deep()))
        assert [label["yanchor"] for label in apart] == ["bottom", "bottom"]
        assert [label["yanchor"] for label in close] == ["top", "bottom"]

    def test_every_trial_is_drawn_once(self) -> None:
        assert sum(len(trace["x"]) for trace in self.figure()["data"]) == 60


class TestThinned:
    def test_few_are_all_kept(self) -> None:
        results = [stored.result for stored in samples.trials(10)]
        assert list(scatter.thinned(results)) == results

    def test_many_are_bounded(self) -> None:
        results = [samples.trial(0)] * (5 * scatter.MOST_DOTS)
        assert 0 < len(scatter.thinned(results)) <= scatter.MOST_DOTS


class TestUndecided:
    @pytest.mark.parametrize("goal", ["floor", "front"])
    def test_what_was_not_decided_is_called_neither_held_nor_missed(self, goal: str) -> None:
        near = next(t.result for t in samples.trials() if t.result.complete)
        hits = Hits(images=500, correct=445, lost=5)
        facts = {"origin": "earlier", "hits": hits, "complete": False}
        undecided = replace(near, verdict=Verdict.UNDECIDED, **facts)  # type: ignore[arg-type]  # fields by name
        drawn = scatter.front_figure(
            samples.setup(), [undecided], front=[], objective="activation_memory", goal=goal
        )
        (trace,) = drawn["data"]
        assert trace["name"] == "undecided (1)"
        assert "of an earlier job" in trace["text"][0]
        assert "not decided yet, after 500 of 1,000 images" in trace["text"][0]


class TestRinged:
    @pytest.mark.parametrize("made", [samples.succeeded, samples.infeasible])
    def test_what_all_other_figures_show_has_a_ring_where_its_mark_is(
        self, made: Callable[[], Any]
    ) -> None:
        job, trials, front = made()
        results = [stored.result for stored in trials]
        objective = job.submission.spec.minimizes
        best = [stored.result for stored in front]
        drawn = scatter.front_figure(job.setup, results, front=best, objective=objective)
        shown = choice(job)
        ringed = scatter.ringed(drawn, job.setup, trials=results, objective=objective, shown=shown)
        ring, *marks = ringed["data"]
        assert marks == drawn["data"]
        assert ring["name"] == f"{shown.name}, trial {shown.trial}"
        places = [spot for mark in marks for spot in zip(mark["x"], mark["y"], strict=True)]
        assert next(zip(ring["x"], ring["y"], strict=True)) in places
        assert len(ring["x"]) == 1

    def test_where_nothing_is_shown_yet_there_is_none(self) -> None:
        shown = Choice(title="", layers=())
        found = [stored.result for stored in samples.trials()]
        ringed = scatter.ringed(
            figure(), samples.setup(), trials=found, objective="activation_memory", shown=shown
        )
        assert ringed == figure()
