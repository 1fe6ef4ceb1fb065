"""What a request lets each point of a network choose from, and what options are fitted with."""

from collections.abc import Mapping

from search import rules
from search.quantization import quantizer
from search.quantization.capture import CapturedNetwork
from search.quantization.codebook import BOUNDED
from search.rules import Menu
from search.spec import JobSpec

Menus = Mapping[str, Menu]


def of(job: JobSpec, network: CapturedNetwork) -> Menus:
    """Return the options by point, none where it stays in float32; raises as `rules.menus`."""
    points = network.all_points(job.kinds)
    found = job.menus(points, able=lambda name, kind: kind in quantizer.get(name).kinds)
    return dict(zip((point.name for point in points), found, strict=True))


def bit_widths(offered: Menus) -> tuple[int, ...]:
    """Return every bit-width that some point may choose, ascending."""
    return tuple(sorted({option.bit_width for menu in offered.values() for option in menu}))


def upper_bounds(job: JobSpec, offered: Menus) -> Mapping[str, float]:
    """Return the bounds that the request gives, by point; raises as `rules.upper_bounds`."""
    return rules.upper_bounds(job.points, offered, bounded=(BOUNDED,))
