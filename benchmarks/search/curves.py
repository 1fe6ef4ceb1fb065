"""Best memory against images evaluated: the median over seeds and how far the seeds lie apart."""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """The state of one method from so many images on."""

    images: int
    #: bits per value over the seeds
    low: float
    middle: float
    #: infinity where some seed has nothing that holds yet
    high: float


def curve(lines: Sequence[Mapping[str, Any]]) -> list[Node]:
    """Return the nodes of one method at one case, from where the median seed holds something.

    It ends at the median of how many images the seeds took.
    """
    ends = [sum(line["images"][part] for part in ("setup", "other", "trials")) for line in lines]
    end = round(median(ends))
    at = sorted({images for line in lines for images, _ in line["trace"] if images < end} | {end})
    nodes = []
    for images in at:
        bits = [_best(line, images) for line in lines]
        if math.isfinite(middle := median(bits)):
            nodes.append(Node(images, min(bits), middle, max(bits)))
    return nodes


def _best(line: Mapping[str, Any], images: int) -> float:
    found = [bits for seen, bits in line["trace"] if seen <= images]
    return found[-1] / line["values"] if found else math.inf
