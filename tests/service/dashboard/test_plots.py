"""The report's figures for the dashboard's page, and how often they are drawn."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from service.dashboard.plots import MOST_DOTS
from service.dashboard.plots import plots
from service.dashboard.storage import JobStorage
from service.dashboard.study_ids import study_id
from service.store import leases
from service.store.values import Job
from service.store.values import JobState
from service.store.values import Lease
from service.store.values import StoredTrial
from tests.service.api import deployment
from tests.service.report import front_samples
from tests.service.report import samples

Told = tuple[Job, tuple[StoredTrial, ...], tuple[StoredTrial, ...]]


def drawn(told: Told) -> dict[str, Any]:
    """Return the figures of a job, as the page reads them."""
    job, found, front = told
    return {
        name: json.loads(text)
        for name, text in plots(
            job, [one.result for one in found], front=[one.result for one in front]
        ).items()
    }


class TestPlots:
    def test_a_certified_job_has_those_of_its_report_in_its_order(self) -> None:
        figures = drawn(samples.succeeded())
        assert list(figures) == ["front", "progress", "images", "bits", "memory", "histograms"]
        assert all(figure["data"] and figure["layout"]["title"] for figure in figures.values())

    def test_the_floor_is_drawn_into_the_front(self) -> None:
        layout = drawn(samples.succeeded())["front"]["layout"]
        floor = samples.BASELINE.floor
        assert floor in [pytest.approx(shape["y0"]) for shape in layout["shapes"]]
        assert f"floor {100 * floor:.2f} %" in [note["text"] for note in layout["annotations"]]

    def test_every_dot_of_a_small_job_is_drawn(self) -> None:
        # and a ring around the one that is certified
        for name, marks in (("front", 121), ("images", 120)):
            figure = drawn(samples.succeeded())[name]
            assert sum(len(trace["x"]) for trace in figure["data"]) == marks
            assert figure["layout"]["title"]["subtitle"]["text"] == ""

    def test_weights_have_their_own(self) -> None:
        figures = drawn(samples.both())
        own = [name for name in figures if name.startswith("weight-")]
        assert own == ["weight-bits", "weight-memory", "weight-histograms"]
        assert len(figures["weight-memory"]["data"][0]["x"]) == len(samples.WEIGHTS)
        assert "weights" in figures["weight-bits"]["layout"]["title"]["text"]

    def test_a_search_for_the_front_has_one(self) -> None:
        told = front_samples.searched()
        assert drawn(told)["front"]["data"][-1]["name"] == f"Pareto front ({len(told[2])})"

    def test_nothing_is_drawn_before_there_is_anything(self) -> None:
        queued = samples.job(JobState.QUEUED)
        assert drawn((queued, (), ())) == {}
        assert drawn((samples.failed(), (), ())) == {}
        assert list(drawn((samples.job(JobState.RUNNING), (), ()))) == ["histograms"]

    def test_nothing_held_is_no_progress(self) -> None:
        assert "progress" not in drawn(samples.infeasible())

    def test_allocations_are_not_looked_at(self) -> None:
        job, found, front = samples.succeeded()
        bare = tuple(
            replace(one, result=replace(one.result, allocation=BitAllocation(()))) for one in found
        )
        assert drawn((job, bare, front)) == drawn((job, found, front))

    def test_the_page_gives_them_their_size_and_keeps_what_was_zoomed_into(self) -> None:
        job, *_ = told = samples.succeeded()
        for figure in drawn(told).values():
            assert not {"height", "width", "autosize"} & figure["layout"].keys()
            assert figure["layout"]["uirevision"] == job.id
            # readable on whatever paper the page has
            assert figure["layout"]["paper_bgcolor"] == "#ffffff"


class TestSize:
    def test_a_large_job_is_sent_in_less_than_a_quarter_of_a_megabyte(self) -> None:
        points = tuple(QuantizationPoint(f"layers.{n}", 1000 + n) for n in range(50))
        found = samples.trials(5000, points=points)
        front = samples.front(found)
        document = samples.best_document(front[0].result, points=points)
        job = samples.job(
            JobState.SUCCEEDED, found=found, result=document, setup=samples.setup(points)
        )
        figures = drawn((job, found, front))
        dots = figures["front"]["data"] + figures["images"]["data"]
        assert max(len(trace["x"]) for trace in dots) <= MOST_DOTS
        for trace in dots:
            assert len(trace["x"]) == len(trace["y"]) == len(trace["text"])
        for name in ("front", "images"):
            assert "evenly chosen" in figures[name]["layout"]["title"]["subtitle"]["text"]
        # the legend counts all of them; first is the ring
        assert any(f"({n:,})" in dots[1]["name"] for n in range(1000, 5001))
        assert sum(len(json.dumps(figure)) for figure in figures.values()) < 250_000
        assert len(figures["histograms"]["layout"]["annotations"]) == 12
        assert "12 largest of 50" in figures["histograms"]["layout"]["title"]["subtitle"]["text"]


class TestDrawnAnew:
    def test_not_while_nothing_happened(self, storage: JobStorage, lease: Lease) -> None:
        number = study_id(lease.job_id)
        first, second = storage.get_plots(number), storage.get_plots(number)
        assert first
        assert all(first[name] is second[name] for name in first)

    def test_after_a_trial(self, engine: Engine, storage: JobStorage, lease: Lease) -> None:
        number = study_id(lease.job_id)
        before = storage.get_plots(number)
        deployment.record(engine, lease, deployment.trial(6, correct=895, bits=(2, 2, 2)))
        after = storage.get_plots(number)
        assert before["front"] != after["front"]
        assert "trial 6" in after["bits"]
        assert "trial 5" in before["bits"]

    def test_when_the_job_ends(self, engine: Engine, storage: JobStorage, lease: Lease) -> None:
        number = study_id(lease.job_id)
        assert "not certified" in storage.get_plots(number)["bits"]
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        assert "the certified best" in storage.get_plots(number)["bits"]

    def test_they_are_those_of_the_whole_history(
        self, engine: Engine, storage: JobStorage, lease: Lease
    ) -> None:
        number = study_id(lease.job_id)
        storage.get_plots(number)
        deployment.record(engine, lease, deployment.trial(6, correct=895))
        assert storage.get_plots(number) == JobStorage(engine).get_plots(number)
