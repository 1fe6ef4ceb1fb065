"""Numbers as people read them: in the terminal, in the report and in the dashboard."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from search.spec import TARGETS

BITS_PER_BYTE = 8
BYTE_UNITS = (("MiB", 1024 * 1024), ("KiB", 1024), ("B", 1))
OPERATION_UNITS = (("tera ", 10**12), ("giga ", 10**9), ("mega ", 10**6), ("", 1))
BIT_OPERATIONS = "bit_operations"
#: objectives that count what is stored once, not for every image
ONCE = ("weight_memory", "total_memory")


def byte_unit(count: float) -> tuple[str, int]:
    """Return the largest unit, with its size in bytes, in which the count is at least 1."""
    return _unit(count, BYTE_UNITS)


def bytes_in_words(count: float) -> str:
    """Return a number of bytes with a unit that keeps it readable."""
    unit, size = byte_unit(count)
    return f"{count / size:,.{0 if size == 1 else 2}f} {unit}"


def objective_of(spec: Mapping[str, Any]) -> str:
    """Return what a request, as servers tell it, minimizes; earlier ones always name it."""
    return str(spec.get("objective") or TARGETS[spec.get("target", "activations")])


def objective_in_words(name: str) -> str:
    """Return what is minimized as a sentence has it."""
    return name.replace("_", " ")


def amount_in_words(cost_bytes: float, objective: str) -> str:
    """Return what a trial costs; of bit operations the API tells an eighth as bytes."""
    if objective == BIT_OPERATIONS:
        return _operations(BITS_PER_BYTE * cost_bytes)
    return bytes_in_words(cost_bytes)


def best_in_words(document: Mapping[str, Any], *, float32: bool = False) -> str:
    """Return what the allocation of a best document costs, or the float network."""
    prefix = "float_" if float32 else ""
    if BIT_OPERATIONS in document:
        return _operations(document[f"{prefix}{BIT_OPERATIONS}"])
    return bytes_in_words(document[f"{prefix}memory_bytes"])


def per(objective: str) -> str:
    """Return " an image" where that is what the objective counts."""
    return "" if objective in ONCE else " an image"


def cost_unit(cost_bits: float, objective: str) -> tuple[str, float]:
    """Return the title of an axis of costs, and how many bits or bit operations its unit has."""
    if objective == BIT_OPERATIONS:
        unit, size = _unit(cost_bits, OPERATION_UNITS)
        return f"{unit}bit operations an image", size
    unit, size = byte_unit(cost_bits / BITS_PER_BYTE)
    return f"memory{per(objective)}, {unit}", size * BITS_PER_BYTE


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share in [0, 1] as percent, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def points(share: float) -> str:
    """Return a difference of two shares in percentage points."""
    return f"{100 * share:.2f} points"


def metric_in_words(metric: str) -> str:
    """Return what a metric is called in a sentence; top-1 is what people call accuracy."""
    return {"top1": "accuracy", "top5": "top-5 accuracy"}.get(metric, metric)


def in_a_row(parts: Iterable[Any]) -> str:
    """Return "a, b and c"."""
    *most, last = [str(part) for part in parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def taken_in_words(job: str, taken: Mapping[str, int]) -> str:
    """Return in a sentence what a search took over from an earlier job."""
    trials, options = taken["trials"], taken["sensitivities"]
    return (
        f"The search started from job {job}: {trials:,} of its trials were taken over and judged "
        f"by this job's floor, and {options:,} options were not measured again. None of that is "
        "counted among this job's trials and images."
    )


def _unit(count: float, units: Sequence[tuple[str, int]]) -> tuple[str, int]:
    return next((unit for unit in units if count >= unit[1]), units[-1])


def _operations(count: float) -> str:
    unit, size = _unit(count, OPERATION_UNITS)
    return f"{count / size:,.{0 if size == 1 else 2}f} {unit}bit operations"
