"""The figures of a search over time."""

from dataclasses import replace

import pytest

from search.trial import EARLIER
from search.trial import TrialResult
from search.trial import Verdict
from service.figures import progress
from tests.service.report import samples

RESULTS = [stored.result for stored in samples.trials()]
IMAGES = sum(result.hits.images for result in RESULTS)


class TestProgressFigure:
    def test_the_line_only_falls_and_ends_with_the_last_trial(self) -> None:
        figure = progress.progress_figure(samples.setup(), RESULTS, objective="activation_memory")
        (line,) = figure["data"]
        assert line["y"] == sorted(line["y"], reverse=True)
        assert line["x"][-1] == pytest.approx(IMAGES / samples.BASELINE.images)
        assert line["customdata"][-1] == IMAGES

    def test_a_trial_that_was_decided_early_takes_the_lead_as_any_other(self) -> None:
        early = next(result for result in RESULTS if result.feasible and not result.complete)
        figure = progress.progress_figure(samples.setup(), [early], objective="activation_memory")
        assert f"trial {early.number}" in figure["data"][0]["text"][0]
        assert "held, decided after 500 of 1,000 images" in figure["data"][0]["text"][0]


class TestImagesFigure:
    def test_every_trial_stands_at_its_share_of_the_split(self) -> None:
        drawn = progress.images_figure(samples.setup(), RESULTS)["data"]
        shares = {
            number: share
            for trace in drawn
            for number, share in zip(trace["x"], trace["y"], strict=True)
        }
        assert shares == {r.number: r.hits.images / samples.BASELINE.images for r in RESULTS}

    def test_verdicts_are_told_apart(self) -> None:
        dominated = replace(RESULTS[1], verdict=Verdict.DOMINATED)
        drawn = progress.images_figure(samples.setup(), [*RESULTS[2:], dominated])["data"]
        assert [trace["name"] for trace in drawn] == ["held", "missed", "dominated"]
        assert drawn[-1]["x"] == [1]


class TestRunningPasses:
    @pytest.mark.parametrize("results", [[], RESULTS])
    def test_the_last_is_the_sum(self, results: list[TrialResult]) -> None:
        passes = progress.running_passes(samples.setup(), results)
        total = sum(result.hits.images for result in results) / samples.BASELINE.images
        assert passes[-1:] == ([pytest.approx(total)] if results else [])


class TestEarlierTrials:
    def test_they_took_no_images_and_still_lead(self) -> None:
        results = [replace(result, origin=EARLIER) for result in RESULTS[:20]] + RESULTS[20:]
        figure = progress.progress_figure(samples.setup(), results, objective="activation_memory")
        (line,) = figure["data"]
        assert line["x"][0] == 0
        assert line["customdata"][-1] == sum(result.hits.images for result in RESULTS[20:])
        drawn = progress.images_figure(samples.setup(), results)["data"]
        assert min(number for trace in drawn for number in trace["x"]) == 20
