"""The paper's experiments on one network, as the document that the report is made from."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from search import cost
from search import reproduction
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import CertificateOutOfReach
from search.quantization.histogram import Histogram
from search.reproduction import Line
from search.reproduction import Subject
from search.spec import MEASURED
from search.spec import JobSpec
from search.spec import SearchSpec
from workers import preactivations
from workers import resolution
from workers import workbench
from workers.evaluators.evaluator import Evaluator
from workers.workbench import Workbench

FORMAT = 1  # raised when a field changes its meaning
LEVELS_BITS = 4  # of Figure 2, where the paper does not say
LEVELS_SHOWN = ("affine", "codebook", "codebook_bounded")


def document(
    job: JobSpec, bench: Workbench, *, budget: int, told: Callable[[Line], None]
) -> dict[str, Any]:
    """Return the document; `told` hears of every line as it is measured.

    `budget` is the trials that each of the paper's methods gets; bitfloor's own search has those
    of the job.
    """
    made = subject(job, bench, budget=budget)
    lines = []
    for line in reproduction.run(made):
        told(line)
        lines.append(line)
    best = reproduction.best(lines)
    points = made.search.points
    return {
        "format": FORMAT,
        "model": job.model,
        "dataset": job.dataset,
        "metric": job.metric,
        "tolerance": job.tolerance,
        "sampler": job.sampler,
        "images": made.certification.images,
        "float_accuracy": made.certification.accuracy,
        "floor": made.certification.floor,
        "points": [{"name": point.name, "elements": point.elements} for point in points],
        "lines": [_line(line, points) for line in lines],
        "best": {method: lines.index(line) for method, line in best.items()},
        "histograms": _coarse(bench.calibration.histograms),
        "before_activation": _coarse(_before_activation(bench)),
        "upper_bounds": dict(bench.calibration.upper_bounds),
        "levels_bits": LEVELS_BITS,
        "levels": {kind: dict(_levels(bench, kind)) for kind in LEVELS_SHOWN},
    }


def subject(job: JobSpec, bench: Workbench, *, budget: int) -> Subject:
    """Return what the experiments are made on.

    bitfloor's search is for a certificate at the confidence asked for, unless the images are too
    few for any: rows are judged by what is measured either way.
    """
    evaluator = bench.evaluator(bench.dataset.search)
    certifier = bench.evaluator(bench.dataset.certification)
    return Subject(
        # as in the paper: elements times bits
        search=replace(_search(job, bench, evaluator=evaluator), objective=None),
        evaluate=evaluator,
        certification=workbench.baseline(job, certifier),
        certify=certifier,
        linear=frozenset(layer.point for layer in bench.network.structure.layers if layer.linear),
        budget=budget,
    )


def _search(job: JobSpec, bench: Workbench, *, evaluator: Evaluator) -> SearchSpec:
    try:
        return resolution.resolve(job, bench, evaluator=evaluator)
    except CertificateOutOfReach:
        measured = replace(job, confidence=MEASURED)
        return resolution.resolve(measured, bench, evaluator=evaluator)


def _before_activation(bench: Workbench) -> Mapping[str, Histogram]:
    calibration = bench.dataset.calibration
    return preactivations.histograms(
        bench.network, lambda: (images for images, _ in calibration.batches(bench.batch))
    )


def _coarse(histograms: Mapping[str, Histogram]) -> dict[str, Any]:
    return {
        point: {"low": h.low, "high": h.high, "counts": h.coarse(workbench.PLOTTED_BINS)}
        for point, h in histograms.items()
    }


def _line(line: Line, points: tuple[QuantizationPoint, ...]) -> dict[str, Any]:
    return {
        "table": line.table,
        "label": line.label,
        "method": line.method,
        "quantizers": [config.quantizer for _, config in line.allocation.items()],
        "bits": [config.bit_width for _, config in line.allocation.items()],
        "memory_bytes": line.memory_bits / 8,
        "saved": cost.saved(points, line.memory_bits),
        "average_bits": cost.average_bits(points, line.memory_bits),
        "accuracy": line.hits.accuracy,
        "drop": line.hits.drop,
        "holds": line.holds,
        "published": line.published,
    }


def _levels(bench: Workbench, quantizer: str) -> Iterator[tuple[str, list[float]]]:
    """Yield what each point can store, ascending."""
    for point in bench.network.points:
        config = QuantizerConfig(quantizer, LEVELS_BITS)
        parameters = bench.options.parameters(point.name, config)
        yield point.name, [float(level) for level in parameters.stored()]
