"""Lines of a benchmark as methods might have written them."""

from collections.abc import Sequence
from typing import Any

PASS, SETUP, VALUES = 100, 150, 10


def line(
    method: str,
    *,
    trace: Sequence[tuple[int, int]] = (),
    certified: int | None = None,
    checkpoints: Sequence[int | None] = (None, None),
    **other: Any,
) -> dict[str, Any]:
    """Return the line of one method at case "c" and seed 0, of a network of 320 bits."""
    eight, twenty = checkpoints
    return {
        "case": "c",
        "seed": 0,
        "method": method,
        "seconds": 1.0,
        "images_per_pass": PASS,
        "values": VALUES,
        "float_memory_bits": 320,
        "trials": 1,
        "images": {"setup": SETUP, "other": 0, "trials": 850, "total": 1200},
        "trace": [list(step) for step in trace],
        "certified": {"memory_bits": certified, "gap": None},
        "checkpoints": {"8": {"memory_bits": eight}, "20": {"memory_bits": twenty}},
        **other,
    }
