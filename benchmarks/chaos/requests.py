"""What the jobs of the faults ask for."""

from typing import Any

from search.spec import JobSpec

#: requests differ by their sampler, since each resumes in its own way, and by their seed
SAMPLERS = ("bitfloor", "random", "tpe")


def spec(number: int, *, budget: int, **said: Any) -> JobSpec:
    """Return a small request on the embedded network."""
    fields: dict[str, Any] = {
        "model": "digits-vgg",
        "dataset": "digits",
        "tolerance": 0.02,
        "quantizers": ("affine",),
        "sampler": SAMPLERS[number % len(SAMPLERS)],
        "seed": number,
        "budget": budget,
    }
    return JobSpec(**(fields | said))
