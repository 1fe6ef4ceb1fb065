"""A search ends with a certified best, or with why there is none and what would change that."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.baseline import Certificate
from search.documents import Evidence
from search.paired import fewest_images
from search.spec import MEASURED
from search.spec import JobSpec
from search.spec import SearchSpec
from search.splits import Splits
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.api.examples import BEST
from workers import resolution
from workers import workbench
from workers.conclusion import Conclusion
from workers.conclusion import conclude
from workers.data import CPU
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.workbench import Workbench

TOLERANCE = 0.02
CONFIDENCE = 0.95
#: with none of these lost, no drop of 2 points can be ruled out
TOO_FEW = 100
JOB = JobSpec(
    model="digits-vgg",
    dataset="digits",
    tolerance=TOLERANCE,
    quantizers=("affine",),
    splits=Splits(search=200, certification=TOO_FEW),
    confidence=CONFIDENCE,
)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    """Return the embedded network with few images to certify on."""
    return prepared(JOB)


def prepared(job: JobSpec) -> Workbench:
    models, around = open_models(Path("no-such-folder")), surroundings(WorkerSettings())
    return workbench.prepare(job, models=models, around=around, device=CPU, batch=100)


def evidence(bench: Workbench, *widths: int, job: JobSpec = JOB, held: bool = True) -> Evidence:
    """Return a search that tried every point at these widths, and the verdict on all of them."""
    # one that asks for no certificate: what it asks for could not be had on so few images
    measured = replace(job, confidence=MEASURED)
    evaluator = bench.evaluator(bench.dataset.search)
    resolved = resolution.resolve(measured, bench, evaluator=evaluator)
    images = len(bench.dataset.certification)
    asks = Certificate(images=images, confidence=CONFIDENCE) if job.confidence > MEASURED else None
    search = replace(resolved, certificate=asks)
    trials = [trial(n, search, width=width, held=held) for n, width in enumerate(widths)]
    return Evidence(job=job, search=search, trials=trials, calibration_images=0)


def trial(number: int, search: SearchSpec, *, width: int, held: bool) -> TrialResult:
    lost = 8 - width
    allocation = BitAllocation.uniform(search.points, QuantizerConfig("affine", width))
    return TrialResult(
        number=number,
        allocation=allocation,
        origin="uniform",
        memory_bits=search.cost(allocation),
        hits=Hits(images=200, correct=search.baseline.correct - lost, lost=lost),
        complete=True,
        constraint=-0.01 if held else 0.01,
        verdict=Verdict.HELD if held else Verdict.MISSED,
    )


def concluded(found: Evidence, bench: Workbench) -> Conclusion:
    return conclude(found, bench, check=lambda: None)


def told(conclusion: Conclusion) -> tuple[str, list[dict[str, Any]]]:
    return conclusion.document["reason"], conclusion.document["checked"]


class TestNothingHeld:
    def test_the_reason_names_what_the_certificate_asks(self, bench: Workbench) -> None:
        conclusion = concluded(evidence(bench, 1, held=False), bench)
        assert not conclusion.certified
        reason = conclusion.document["reason"]
        assert "on the search split" in reason
        assert "confidence 0.95 on 100 images" in reason

    def test_without_a_certificate_it_is_the_floor(self, bench: Workbench) -> None:
        job = replace(JOB, confidence=MEASURED)
        conclusion = concluded(evidence(bench, 1, job=job, held=False), bench)
        assert conclusion.document["reason"].endswith("holds the floor on the search split")


class TestFront:
    """A search for the front ends as one for the floor does, and tells its front besides."""

    @pytest.mark.parametrize("held", [False, True])
    def test_the_front_is_told_whether_or_not_anything_held(
        self, bench: Workbench, *, held: bool
    ) -> None:
        job = replace(JOB, goal="front")
        found = evidence(bench, 1, 4, 8, job=job, held=held)
        conclusion, plain = (
            concluded(found, bench),
            concluded(evidence(bench, 1, 4, 8, held=held), bench),
        )
        front = conclusion.document["front"]
        assert [one["trial"] for one in front["trials"]] == [0, 1, 2]
        assert [one["feasible"] for one in front["trials"]] == [held] * 3
        assert [round(one["saved"], 6) for one in front["trials"]] == [31 / 32, 28 / 32, 24 / 32]
        assert 0.9 < front["hypervolume"] < 1
        assert conclusion.certified == plain.certified
        assert {**conclusion.document, "front": None} == {**plain.document, "front": None}

    def test_a_search_for_the_floor_tells_none(self, bench: Workbench) -> None:
        assert "front" not in concluded(evidence(bench, 8), bench).document


class TestNoneCertified:
    def test_too_few_images_are_told_with_how_many_it_takes(self, bench: Workbench) -> None:
        conclusion = concluded(evidence(bench, 8), bench)
        assert not conclusion.certified
        reason, (checked,) = told(conclusion)
        assert checked["judgement"] == "undecided"
        fewest = fewest_images(TOLERANCE, CONFIDENCE)
        assert fewest is not None
        assert checked["images_needed"] >= fewest > TOO_FEW
        assert f"trial 0 would take about {checked['images_needed']:,} images" in reason
        assert "splits.certification" in reason

    def test_what_is_refuted_is_told_so(self, bench: Workbench) -> None:
        conclusion = concluded(evidence(bench, 1), bench)
        reason, (checked,) = told(conclusion)
        assert checked["judgement"] == "refuted"
        assert "checked on the certification split (1) were refuted" in reason

    def test_every_image_is_counted(self, bench: Workbench) -> None:
        conclusion = concluded(evidence(bench, 8), bench)
        points = len(conclusion.document["blame"])
        # float, the candidate, the closest again, and each point alone in float32
        assert conclusion.images == TOO_FEW * (3 + points)


class TestCertified:
    def test_enough_images_certify_and_the_others_are_told(self) -> None:
        job = replace(JOB, splits=Splits(search=200, certification=600))
        bench = prepared(job)
        conclusion = concluded(evidence(bench, 1, 8, job=job), bench)
        assert conclusion.certified
        block = conclusion.document["certification"]
        assert block["judgement"] == "certified"
        assert block["p_value"] <= 1 - CONFIDENCE
        assert block["drop_upper_bound"] <= TOLERANCE
        assert block["confidence"] == CONFIDENCE
        (other,) = block["others"]
        assert (other["judgement"], other["trial"]) == ("refuted", 0)
        assert other["saved"] == pytest.approx(31 / 32)
        gap = block["drop"] - conclusion.document["search"]["drop"]
        assert block["gap"] == pytest.approx(gap)

    def test_without_a_certificate_the_count_decides(self, bench: Workbench) -> None:
        conclusion = concluded(evidence(bench, 8, job=replace(JOB, confidence=MEASURED)), bench)
        assert conclusion.certified
        assert conclusion.document["certification"]["judgement"] == "certified"


class TestExample:
    def test_the_best_document_is_what_the_api_shows_an_example_of(self, bench: Workbench) -> None:
        found = evidence(bench, 8, job=replace(JOB, confidence=MEASURED))
        document = concluded(found, bench).document
        assert fields(BEST) == fields(document)


def fields(document: Mapping[str, Any]) -> set[str]:
    """Return the names of a best document's fields, a level down too."""
    (point, *_), certified = document["points"], document["certification"]
    return {
        *document,
        *(f"points.{name}" for name in point),
        *(f"certification.{name}" for name in certified),
    }
