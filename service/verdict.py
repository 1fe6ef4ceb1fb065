"""The verdict on a job in words: what holds, by how much, on which images, or what is missing."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.store.values import Job
from service.store.values import JobState
from service.words import amount_in_words
from service.words import best_in_words
from service.words import bytes_in_words
from service.words import in_a_row
from service.words import metric_in_words
from service.words import objective_in_words
from service.words import per
from service.words import percent
from service.words import points

#: what the certification split can say of those that were not chosen, in words
OTHERS = {
    "certified": "Certified before it on the same images, though larger",
    "refuted": "Refuted on the same images, though smaller",
    "undecided": "Smaller, but not decided on so few images",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reader in a hurry takes away."""

    #: "good", "bad" or "open"
    tone: str
    headline: str
    sentences: tuple[str, ...]


def verdict(job: Job) -> Verdict:
    """Return the verdict on the job as it stands."""
    if job.state is JobState.SUCCEEDED and job.result:
        return _certified(job.result)
    if job.state is JobState.INFEASIBLE and job.result:
        return Verdict(
            tone="bad",
            headline=_missing(job.result),
            sentences=tuple(_infeasible(job.result)),
        )
    if job.state is JobState.FAILED:
        cause = job.error.message if job.error else "no cause was recorded"
        return Verdict(
            tone="bad", headline="The search failed", sentences=(_sentence(cause), _so_far(job))
        )
    headlines = {
        JobState.QUEUED: "Waiting for a worker",
        JobState.CANCELLED: "The search was cancelled",
    }
    headline = headlines.get(job.state, f"Still running: {job.stage or 'starting'}")
    return Verdict(tone="open", headline=headline, sentences=(_so_far(job),))


def _certified(result: Mapping[str, Any]) -> Verdict:
    minimized = objective_in_words(_objective(result))
    return Verdict(
        tone="good",
        headline=f"Certified: {percent(result['saved'])} of the {minimized} saved",
        sentences=tuple(_evidence(result)),
    )


def _evidence(result: Mapping[str, Any]) -> Iterator[str]:
    checked = result["certification"]
    accuracy = metric_in_words(result.get("metric", "top1"))
    objective = _objective(result)
    yield (
        f"{best_in_words(result)}{per(objective)} instead of "
        f"{best_in_words(result, float32=True)} in float32, "
        f"{result['average_bits']:.2f} bits a value on average."
    )
    yield (
        f"On {checked['images']:,} images that the search never saw, {accuracy} is "
        f"{percent(checked['accuracy'], 2)}: {_against(checked['drop'])} the float model "
        f"({percent(checked['float_accuracy'], 2)}), and at or above the floor of "
        f"{percent(checked['floor'], 2)}."
    )
    yield from _proof(checked)
    yield _versus_uniform(result)


def _proof(checked: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the certification split proves; earlier releases wrote part of it."""
    if checked.get("drop_upper_bound") is not None:
        tested = f" (p = {checked['p_value']:.2g})" if "p_value" in checked else ""
        yield (
            f"With {percent(checked['confidence'], 0)} confidence the drop on images of this kind "
            f"is at most {points(checked['drop_upper_bound'])}{tested}."
        )
    if "gap" in checked:
        yield f"Its drop there is {_gap(checked['gap'])} on the images that the search saw."
    said: dict[str, list[Mapping[str, Any]]] = {}
    for other in checked.get("others", ()):
        said.setdefault(other["judgement"], []).append(other)
    for judgement, what in OTHERS.items():
        if judgement in said:
            yield f"{what}: {_trials(said[judgement])}."


def _gap(gap: float) -> str:
    size = points(abs(gap))
    if size == points(0):
        return "as large as"
    return f"{size} {'more' if gap > 0 else 'less'} than"


def _trials(checks: Iterable[Mapping[str, Any]]) -> str:
    return in_a_row(f"trial {one['trial']}{_more(one)}" for one in checks)


def _more(check: Mapping[str, Any]) -> str:
    images = check["images_needed"]
    more = f"; about {images:,} images would do" if images else ""
    return f" ({percent(check['saved'])} saved{more})"


def _objective(result: Mapping[str, Any]) -> str:
    return str(result.get("objective", "activation_memory"))


def _versus_uniform(result: Mapping[str, Any]) -> str:
    uniform = result.get("uniform")
    if not uniform:
        return "No uniform allocation was worth a trial, or none that was tried held the floor."
    # of bit operations, the memory is told beside their share
    counted = "" if "bit_operations" in result else per(_objective(result))
    return (
        f"The smallest uniform allocation that held the floor, {uniform['quantizer']} at "
        f"{uniform['bit_width']} bits {_where(uniform)}, saves {percent(uniform['saved'])} "
        f"({bytes_in_words(uniform['memory_bytes'])}{counted})."
    )


def _where(uniform: Mapping[str, Any]) -> str:
    exceptions = len(uniform.get("exceptions") or ())
    return f"everywhere but at {exceptions} points that lack it" if exceptions else "everywhere"


def _infeasible(result: Mapping[str, Any]) -> Iterator[str]:
    if result.get("reason"):
        yield _sentence(str(result["reason"]))
    closest = result.get("closest")
    if closest:
        yield (
            f"The closest is trial {closest['trial']}: accuracy {percent(closest['accuracy'], 2)} "
            f"is {_short(result['shortfall'])} the floor of {percent(result['floor'], 2)} "
            f"(float model {percent(result['float_accuracy'], 2)}), with "
            f"{percent(closest['saved'])} of the memory saved."
        )
    helpful = [blamed for blamed in result.get("blame") or () if blamed["recovered"] > 0]
    if helpful:
        culprits = in_a_row(f"{b['point']} ({points(b['recovered'])})" for b in helpful[:5])
        yield f"Accuracy regained if one layer alone goes back to float32: {culprits}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _so_far(job: Job) -> str:
    progress = job.progress
    done = f"{progress.trials} of {job.submission.spec.budget} trials"
    if progress.best is None or job.setup is None:
        return f"After {done}, no allocation at or above the floor has been found yet."
    objective = job.submission.spec.minimizes
    accuracy = percent(job.setup.accuracy(progress.best.hits), 2)
    cost = amount_in_words(progress.best.memory_bits / 8, objective)
    return (
        f"After {done}, the best takes {cost}{per(objective)} at {accuracy} accuracy; the floor is "
        f"{percent(job.setup.baseline.floor, 2)}."
    )


def _missing(result: Mapping[str, Any]) -> str:
    if result.get("checked"):
        return "No allocation could be certified to hold the accuracy floor"
    return "No allocation held the accuracy floor"


def _short(shortfall: float) -> str:
    """Return where it lies; above the floor where the images are too few to prove it."""
    return f"{points(abs(shortfall))} {'short of' if shortfall > 0 else 'above'}"


def _against(drop: float) -> str:
    return f"{points(abs(drop))} {'below' if drop >= 0 else 'above'}"
