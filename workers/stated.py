"""The allocation that a best document states, held against the network that it is about.

All of it raises UnusableDocument, naming the field.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.errors import UnusableDocument
from search.quantization import described
from search.quantization import quantizer
from search.quantization.capture import CapturedNetwork
from search.quantization.quantizer import Parameters
from search.quantization.quantizer import PerChannelAffine

#: of a best document, its types checked
Points = Sequence[Mapping[str, Any]]


def allocation(points: Points) -> BitAllocation:
    """Return the allocation."""
    return BitAllocation.of(
        {
            point["name"]: QuantizerConfig(point["quantizer"], point["bit_width"])
            for point in points
            if point["quantizer"] is not None
        }
    )


def parameters(points: Points) -> Mapping[str, Parameters]:
    """Return what was fitted, by point."""
    return dict(_fitted(points))


def _fitted(points: Points) -> Iterator[tuple[str, Parameters]]:
    for number, point in enumerate(points):
        if point["quantizer"] is None:
            continue
        field = f"points.{number}"
        known = [one.name for one in quantizer.registered()]
        if point["quantizer"] not in known:
            why = f"{point['quantizer']!r} is not one of {', '.join(known)}"
            raise UnusableDocument(f"{field}.quantizer", why)
        config = QuantizerConfig(point["quantizer"], point["bit_width"])
        if Kind(point["kind"]) not in quantizer.get(config.quantizer).kinds:
            why = f"{config.quantizer} cannot quantize an {point['kind']}"
            raise UnusableDocument(f"{field}.quantizer", why)
        yield (
            point["name"],
            described.read(config, point["parameters"], field=f"{field}.parameters"),
        )


def require_same_points(stated: Points, found: Sequence[QuantizationPoint]) -> None:
    """Raise UnusableDocument where the document is about another network."""
    if len(stated) != len(found):
        why = f"{len(stated)} are told of, but the network has {len(found)}"
        raise UnusableDocument("points", why)
    for number, (one, point) in enumerate(zip(stated, found, strict=True)):
        for name, value in (
            ("name", point.name),
            ("kind", point.kind),
            ("elements", point.elements),
        ):
            if one[name] != value:
                why = f"{one[name]!r} is told, but the network has {str(value)!r} there"
                raise UnusableDocument(f"points.{number}.{name}", why)


def require_channels(
    stated: Points,
    network: CapturedNetwork,
    *,
    parameters: Mapping[str, Parameters],
) -> None:
    """Raise UnusableDocument where a weight has not one scale for every channel."""
    channels = {weight.point.name: len(weight.tensor) for weight in network.weights}
    for number, point in enumerate(stated):
        given = parameters.get(point["name"])
        if isinstance(given, PerChannelAffine) and len(given.scales) != channels[point["name"]]:
            why = f"has {len(given.scales)} scales for {channels[point['name']]} channels"
            raise UnusableDocument(f"points.{number}.parameters.scales", why)
