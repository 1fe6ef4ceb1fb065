"""The allocation a job is shown by, layer by layer: certified, closest, or best so far."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.allocation import FLOAT_BIT_WIDTH
from search.allocation import Kind
from service.store.values import Job
from service.store.values import JobState

BITS_PER_BYTE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One quantization point and what was chosen for it."""

    name: str
    #: values stored per image; of a weight, its values
    elements: int
    #: None: it stays in float32
    quantizer: str | None
    #: FLOAT_BIT_WIDTH where it stays in float32
    bit_width: int
    #: per image, unless it is a weight
    bytes_before: float
    #: likewise
    bytes_after: float
    #: the values that can be stored, ascending; empty before they are known
    levels: tuple[float, ...] = ()
    kind: Kind = Kind.ACTIVATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An allocation and what it is."""

    #: such as "the certified best, trial 57"; empty while there is none
    title: str
    #: of these, the name alone
    name: str = ""
    trial: int | None = None
    #: in network order
    layers: tuple[Layer, ...]


def choice(job: Job) -> Choice:
    """Return the best there is to show of the job, all layers in float32 if nothing is."""
    result = job.result or {}
    if job.state is JobState.SUCCEEDED:
        chosen = tuple(_certified(point) for point in result["points"])
        name, trial = "certified best", result["trial"]
        return Choice(title=f"the {name}, trial {trial}", name=name, trial=trial, layers=chosen)
    closest = result.get("closest")
    if job.state is JobState.INFEASIBLE and closest and "allocation" in closest:
        name, trial = "closest allocation", closest["trial"]
        title = f"the {name}, trial {trial}; it is below the floor"
        layers = _layers(job, closest["allocation"])
        return Choice(title=title, name=name, trial=trial, layers=layers)
    best = job.progress.best
    if best:
        allocation = {
            name: {"quantizer": config.quantizer, "bit_width": config.bit_width}
            for name, config in best.allocation.items()
        }
        name, trial = "best so far", best.number
        title = f"the {name}, trial {trial}; it is not certified"
        return Choice(title=title, name=name, trial=trial, layers=_layers(job, allocation))
    return Choice(title="", layers=_layers(job, {}))


def by_kind(layers: Sequence[Layer]) -> dict[Kind, tuple[Layer, ...]]:
    """Return the activations and the weights apart; a kind without layers is left out."""
    found = {kind: tuple(layer for layer in layers if layer.kind is kind) for kind in Kind}
    return {kind: own for kind, own in found.items() if own}


def levels(parameters: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the values that a quantizer with these parameters stores, ascending.

    Understood are fixed grids (scale, zero_point, quant_min, quant_max) and codebooks (levels).
    """
    if "levels" in parameters:
        return tuple(sorted(float(level) for level in parameters["levels"]))
    if not {"scale", "zero_point", "quant_min", "quant_max"} <= parameters.keys():
        return ()
    scale, zero_point = float(parameters["scale"]), int(parameters["zero_point"])
    codes = range(int(parameters["quant_min"]), int(parameters["quant_max"]) + 1)
    return tuple((code - zero_point) * scale for code in codes)


def _certified(point: Mapping[str, Any]) -> Layer:
    return Layer(
        name=point["name"],
        elements=point["elements"],
        quantizer=point["quantizer"],
        bit_width=point["bit_width"] or FLOAT_BIT_WIDTH,
        bytes_before=point["bytes_before"],
        bytes_after=point["bytes_after"],
        levels=levels(point.get("parameters") or {}),
        # written since weights can be points too
        kind=Kind(point.get("kind", Kind.ACTIVATION)),
    )


def _layers(job: Job, allocation: Mapping[str, Mapping[str, Any]]) -> tuple[Layer, ...]:
    points: Sequence[Any] = job.setup.points if job.setup else ()
    float32: Mapping[str, Any] = {"quantizer": None, "bit_width": FLOAT_BIT_WIDTH}
    return tuple(
        Layer(
            name=point.name,
            elements=point.elements,
            quantizer=(config := allocation.get(point.name, float32))["quantizer"],
            bit_width=config["bit_width"],
            bytes_before=point.elements * FLOAT_BIT_WIDTH / BITS_PER_BYTE,
            bytes_after=point.elements * config["bit_width"] / BITS_PER_BYTE,
            kind=point.kind,
        )
        for point in points
    )
