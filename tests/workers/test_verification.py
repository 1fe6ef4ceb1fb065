"""A best document is evaluated again from nothing but what it says, and trusted in nothing."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizerConfig
from search.documents import Evidence
from search.errors import ToleranceOutOfRange
from search.errors import UnusableDocument
from search.spec import MEASURED
from search.spec import JobSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from workers import resolution
from workers import workbench
from workers.conclusion import conclude
from workers.data import CPU
from workers.datasets.catalog import surroundings
from workers.errors import UnknownDataset
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.verification import Verification
from workers.verification import verify

MODELS = open_models(Path("no-such-folder"))
AROUND = surroundings(WorkerSettings())
JOB = JobSpec(
    model="digits-vgg",
    dataset="digits",
    tolerance=0.03,
    target="both",
    quantizers=("affine", "codebook_bounded", "affine_per_channel"),
    bit_widths=(5, 6),
    sampler="random",
    budget=1,
    seed=3,
)
#: of the trial that the document is about; it ended before it had seen all of the search split
SEEN = 128


def best(job: JobSpec = JOB) -> dict[str, Any]:
    """Return what a worker writes, through JSON, of a codebook or scales for every other point."""
    bench = workbench.prepare(job, models=MODELS, around=AROUND, device=CPU, batch=64)
    evaluator = bench.evaluator(bench.dataset.search)
    search = resolution.resolve(job, bench, evaluator=evaluator)
    others = {Kind.ACTIVATION: "codebook_bounded", Kind.WEIGHT: "affine_per_channel"}
    allocation = BitAllocation.of(
        {
            point.name: QuantizerConfig(others[point.kind] if number % 2 else "affine", 6)
            for number, point in enumerate(search.points[1:])
        }
    )
    hits = Hits()
    for seen in evaluator(allocation):
        hits += seen
        if hits.images >= SEEN:
            break
    trial = TrialResult(
        number=0,
        allocation=allocation,
        origin="random",
        memory_bits=search.cost(allocation),
        hits=hits,
        complete=False,
        constraint=-0.01,
        verdict=Verdict.HELD,
    )
    evidence = Evidence(job=job, search=search, trials=[trial], calibration_images=0)
    conclusion = conclude(evidence, bench, check=lambda: None)
    assert conclusion.certified
    document: dict[str, Any] = json.loads(json.dumps(conclusion.document))
    return document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return best()


def verified(document: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"models": MODELS, "around": AROUND, "device": CPU, "batch": 450}
    return verify(Verification(document=document, **(asked | more)))


def changed(document: dict[str, Any], *path: str | int, value: object) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    inner: Any = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copied


def differing(verdict: Mapping[str, Any]) -> list[str]:
    return [figure["name"] for figure in verdict["figures"] if not figure["agrees"]]


def test_every_figure_is_found_again_in_batches_of_another_size(document: dict[str, Any]) -> None:
    verdict = verified(document)
    assert verdict["judgement"] == "certified"
    assert verdict["agrees"]
    assert differing(verdict) == []
    assert verdict["search"]["images"] == SEEN
    names = {figure["name"] for figure in verdict["figures"]}
    assert {"memory_bytes", "weight_bytes", "search.lost", "certification.p_value"} <= names
    assert verdict["certification"]["lost"] == document["certification"]["lost"]


def test_whoever_believes_what_is_measured_has_that_verified() -> None:
    verdict = verified(best(replace(JOB, confidence=MEASURED, target="activations")))
    assert (verdict["judgement"], differing(verdict)) == ("certified", [])


def test_parameters_are_applied_as_they_are_stated(document: dict[str, Any]) -> None:
    scale = document["points"][1]["parameters"]["scale"]
    verdict = verified(changed(document, "points", 1, "parameters", "scale", value=scale / 40))
    assert verdict["judgement"] == "refuted"
    assert "certification.correct" in differing(verdict)


def test_a_forged_figure_differs(document: dict[str, Any]) -> None:
    forged = changed(document, "certification", "accuracy", value=0.5)
    forged = changed(forged, "memory_bytes", value=1)
    verdict = verified(forged)
    assert verdict["judgement"] == "certified"
    assert not verdict["agrees"]
    assert set(differing(verdict)) == {"certification.accuracy", "memory_bytes"}


def test_a_request_for_fewer_images_cannot_be_certified_on_them(document: dict[str, Any]) -> None:
    splits = {"calibration": 45, "search": 402, "certification": 40}
    verdict = verified(changed(document, "spec", "splits", value=splits))
    assert verdict["judgement"] == "undecided"
    assert verdict["certification"]["images"] == 40
    assert "certification.images" in differing(verdict)


class TestAnotherDataset:
    @pytest.fixture
    def around(self, tmp_path: Path) -> Any:
        settings = WorkerSettings(data_root=tmp_path / "data", cache_dir=tmp_path / "cache")
        bench = workbench.prepare(
            JobSpec(model="digits-vgg", dataset="digits", tolerance=0.02),
            models=MODELS,
            around=AROUND,
            device=CPU,
            batch=64,
        )
        split = bench.dataset.certification
        (tmp_path / "data").mkdir()
        np.savez(
            tmp_path / "data" / "mine.npz",
            images=split.images[split.index].numpy(),
            labels=split.labels[split.index].numpy(),
        )
        return surroundings(settings)

    def test_it_is_judged_on_all_of_its_images(self, document: dict[str, Any], around: Any) -> None:
        verdict = verified(document, around=around, dataset="arrays/mine")
        assert (verdict["judgement"], verdict["dataset"]) == ("certified", "arrays/mine")
        assert verdict["certification"]["images"] == 450
        assert "search" not in verdict
        assert {figure["name"] for figure in verdict["figures"]} == {
            *("memory_bytes", "float_memory_bytes", "saved", "average_bits"),
            *("activation_bytes", "weight_bytes"),
        }

    def test_one_that_is_not_there_is_told(self, document: dict[str, Any]) -> None:
        with pytest.raises(UnknownDataset):
            verified(document, dataset="nothing")


class TestRefused:
    @pytest.mark.parametrize(
        "path, value, told",
        [
            (("points", 0, "name"), "elsewhere", "points.0.name: 'elsewhere' is told"),
            (("points", 2, "elements"), 1, "points.2.elements: 1 is told"),
            (("points", 1, "quantizer"), "os.system", "points.1.quantizer: 'os.system' is not"),
            (("points", 1, "quantizer"), "affine_per_channel", "points.1.quantizer: affine_per"),
            (("points", 1, "parameters"), {}, "points.1.parameters.quant_min: a whole number"),
            (("points",), [], "points: 0 are told of, but the network has 18"),
        ],
    )
    def test_what_is_about_another_network_names_its_field(
        self, document: dict[str, Any], path: tuple[str | int, ...], *, value: object, told: str
    ) -> None:
        with pytest.raises(UnusableDocument) as raised:
            verified(changed(document, *path, value=value))
        assert str(raised.value).startswith(told)

    def test_as_many_scales_as_channels_are_needed(self, document: dict[str, Any]) -> None:
        at = next(i for i, p in enumerate(document["points"]) if "scales" in p["parameters"])
        parameters = document["points"][at]["parameters"]
        fewer = parameters | {
            "scales": parameters["scales"][1:],
            "zero_points": parameters["zero_points"][1:],
        }
        with pytest.raises(UnusableDocument, match=rf"points\.{at}\.parameters\.scales: has"):
            verified(changed(document, "points", at, "parameters", value=fewer))

    def test_a_floor_below_0_is_no_floor(self, document: dict[str, Any]) -> None:
        with pytest.raises(ToleranceOutOfRange):
            verified(changed(document, "spec", "tolerance", value=0.999))
