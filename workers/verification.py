"""Evaluates the allocation of a best document again, certifies it again, and compares the figures.

What the document has fitted is applied as it stands; nothing is calibrated or searched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

import torch

from search import agreement
from search import certify
from search import documents
from search.allocation import BitAllocation
from search.baseline import Baseline
from search.baseline import Certificate
from search.certify import Check
from search.quantization.capture import CapturedNetwork
from search.quantization.fitted import GivenOptions
from search.spec import MEASURED
from search.spec import METRICS
from search.spec import JobSpec
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store import codec
from workers import objectives
from workers import stated
from workers import workbench
from workers.data import Dataset
from workers.data import Split
from workers.datasets.source import Surroundings
from workers.evaluators.local import LocalEvaluator
from workers.models.registry import Models


@dataclass(frozen=True, eq=False, kw_only=True)
class Verification:
    """What is verified, and with what."""

    #: what `bitfloor best --format json` prints, its fields checked
    document: Mapping[str, Any]
    models: Models
    around: Surroundings
    device: torch.device
    batch: int
    #: images by which a count may differ from what is stated
    slack: int = 0
    #: judge on all images of this one instead of the document's own certification split
    dataset: str | None = None


@dataclass(frozen=True, eq=False)
class _Bench:
    job: JobSpec
    network: CapturedNetwork
    dataset: Dataset
    allocation: BitAllocation
    options: GivenOptions
    batch: int

    def evaluator(self, split: Split) -> LocalEvaluator:
        """Return an evaluator for the split; costs one float pass over it."""
        return LocalEvaluator(
            self.network,
            split,
            options=self.options,
            batch=self.batch,
            top=METRICS[self.job.metric],
        )


def verify(asked: Verification) -> dict[str, Any]:
    """Return the verdict, as plain JSON values.

    Raises UnusableDocument, naming the field, and what `workbench.opened` raises.
    """
    bench = _bench(asked)
    split = _everything(bench.dataset) if asked.dataset else bench.dataset.certification
    evaluator = bench.evaluator(split)
    baseline = workbench.baseline(bench.job, evaluator)
    hits = sum(evaluator(bench.allocation), Hits())
    asks = None
    if bench.job.confidence != MEASURED:
        asks = Certificate(images=baseline.images, confidence=bench.job.confidence)
    search = _search(bench, baseline, certificate=asks)
    check = certify.check(
        _trial(search, bench.allocation), hits, baseline=baseline, certificate=asks
    )
    found = {
        **documents.memory(search, bench.allocation),
        "certification": {
            **documents.on_split(baseline, hits),
            **documents.bound(check, asks),
            "p_value": check.p_value,
        },
    }
    if not asked.dataset:
        found["search"] = _on_search_split(bench, asked.document["search"]["images"])
    # other images give other figures; what is stored for them is the same
    parts = () if asked.dataset else agreement.PARTS
    figures = agreement.figures(asked.document, found, parts=parts, slack=asked.slack)
    compared = list(figures)
    agrees = all(figure["agrees"] for figure in compared)
    return {**_verdict(bench.job, check), "agrees": agrees, **found, "figures": compared}


def _verdict(job: JobSpec, check: Check) -> dict[str, Any]:
    return {
        "model": job.model,
        "weights": job.weights,
        "dataset": job.dataset,
        "metric": job.metric,
        "tolerance": job.tolerance,
        "judgement": check.judgement,
        "images_needed": check.images_needed,
    }


def _bench(asked: Verification) -> _Bench:
    document = asked.document
    job = codec.spec_of(document["spec"])
    if asked.dataset:
        job = replace(job, dataset=asked.dataset, splits=None)
    allocation = stated.allocation(document["points"])
    parameters = stated.parameters(document["points"])
    network, dataset = workbench.opened(
        job, models=asked.models, around=asked.around, device=asked.device
    )
    stated.require_same_points(document["points"], network.all_points(job.kinds))
    stated.require_channels(document["points"], network, parameters=parameters)
    options = GivenOptions(parameters, asked.device)
    return _Bench(job, network, dataset, allocation, options, asked.batch)


def _everything(dataset: Dataset) -> Split:
    index = torch.cat([split.index for split in dataset])
    return replace(dataset.certification, index=index)


def _search(bench: _Bench, baseline: Baseline, *, certificate: Certificate | None) -> SearchSpec:
    """Return a search that has this one allocation to choose from, to price it."""
    points = bench.network.all_points(bench.job.kinds)
    chosen = [bench.allocation.get(point.name) for point in points]
    return SearchSpec(
        points=points,
        menus=tuple((config,) if config else () for config in chosen),
        objective=objectives.objective(bench.job.minimizes, bench.network),
        baseline=baseline,
        certificate=certificate,
        sampler="random",
        budget=1,
        seed=bench.job.seed,
    )


def _trial(search: SearchSpec, allocation: BitAllocation) -> TrialResult:
    return TrialResult(
        number=0,
        allocation=allocation,
        origin="document",
        memory_bits=search.cost(allocation),
        hits=Hits(),
        complete=False,
        constraint=0.0,
        verdict=Verdict.HELD,
    )


def _on_search_split(bench: _Bench, images: int) -> dict[str, float]:
    """Return what was found on the search split; a trial may have ended after so many `images`."""
    split = bench.dataset.search
    evaluator = bench.evaluator(split)
    baseline = workbench.baseline(bench.job, evaluator)
    if images < len(split):
        evaluator = bench.evaluator(replace(split, index=split.index[:images]))
    return documents.on_split(baseline, sum(evaluator(bench.allocation), Hits()))
