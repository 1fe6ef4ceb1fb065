"""What a method reached, after how many images, and what the unseen images say of it."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.search.ground import Ground
from benchmarks.search.methods import Attempt
from search import certify
from search.trial import TrialResult

#: full passes after which an answer is certified as if the method had stopped there
CHECKPOINTS = (8, 20)


@dataclass(frozen=True, slots=True)
class Step:
    """The best that a method knew from here on."""

    #: evaluated so far, in float or quantized
    images: int
    #: of the best that held by then
    memory_bits: int


def trace(trials: Iterable[TrialResult], *, before: int) -> Iterator[Step]:
    """Yield a step for every trial that holds in less memory than all before it.

    `before`: images seen before the first trial.
    """
    images, best = before, None
    for trial in trials:
        images += trial.hits.images
        if trial.feasible and (best is None or trial.memory_bits < best):
            best = trial.memory_bits
            yield Step(images, best)


def within(trials: Iterable[TrialResult], images: int, *, before: int) -> Iterator[TrialResult]:
    """Yield the trials that are over by the time that so many images are evaluated."""
    for trial in trials:
        before += trial.hits.images
        if before > images:
            return
        yield trial


def line(ground: Ground, attempt: Attempt, *, seconds: float) -> dict[str, Any]:
    """Return the JSON line of one method at one case and seed."""
    before = ground.setup_images + attempt.other_images
    evaluated = sum(trial.hits.images for trial in attempt.trials)
    answer = certified(ground, attempt.trials)
    return {
        "benchmark": "search",
        "case": ground.case,
        "seed": ground.seed,
        "method": attempt.method,
        "seconds": round(seconds, 1),
        "float_accuracy": ground.search.baseline.accuracy,
        "images_per_pass": ground.images,
        "values": sum(point.elements for point in ground.search.points),
        "float_memory_bits": ground.float_memory,
        "trials": len(attempt.trials),
        "held": sum(trial.feasible for trial in attempt.trials),
        "images": {
            "setup": ground.setup_images,
            "other": attempt.other_images,
            "trials": evaluated,
            "certification": answer["images"],
            "total": before + evaluated + answer["images"],
        },
        "trace": [[s.images, s.memory_bits] for s in trace(attempt.trials, before=before)],
        "certified": answer,
        "checkpoints": {
            str(passes): certified(
                ground, [*within(attempt.trials, passes * ground.images, before=before)]
            )
            for passes in CHECKPOINTS
        },
    }


def certified(ground: Ground, trials: Sequence[TrialResult]) -> dict[str, Any]:
    """Return what the certification split makes of the trials; memory_bits None: of none enough.

    The same candidates and the same test for every method.
    """
    ordered = certify.candidates(trials, spec=ground.search)
    checks = [
        *certify.certify(
            ordered,
            ground.certify,
            baseline=ground.certification,
            certificate=ground.search.certificate,
        )
    ]
    best = certify.smallest(checks)
    told = best or (checks[0] if checks else None)
    return {
        "memory_bits": best.trial.memory_bits if best else None,
        "images": (ground.certification.images if checks else 0)
        + sum(check.hits.images for check in checks),
        "float_accuracy": ground.certification.accuracy,
        "floor": ground.certification.floor,
        "accuracy": told.hits.accuracy if told else None,
        "judgements": [check.judgement.value for check in checks],
        "p_value": told.p_value if told else None,
        # how much kinder the search split was
        "gap": told.hits.drop - told.trial.hits.drop if told else None,
        "trial": best.trial.number if best else None,
    }
