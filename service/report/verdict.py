"""The verdict on a job in words: what holds, by how much, on which images, or what is missing."""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.report.words import bytes_in_words
from service.report.words import in_a_row
from service.report.words import metric_in_words
from service.report.words import percent
from service.report.words import points
from service.store.values import Job
from service.store.values import JobState


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
            headline="No allocation held the accuracy floor",
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
    minimized = str(result.get("objective", "activation memory")).replace("_", " ")
    return Verdict(
        tone="good",
        headline=f"Certified: {percent(result['saved'])} of the {minimized} saved",
        sentences=tuple(_evidence(result)),
    )


def _evidence(result: Mapping[str, Any]) -> Iterator[str]:
    checked = result["certification"]
    accuracy = metric_in_words(result.get("metric", "top1"))
    yield (
        f"{bytes_in_words(result['memory_bytes'])} an image instead of "
        f"{bytes_in_words(result['float_memory_bytes'])} in float32, "
        f"{result['average_bits']:.2f} bits a value on average."
    )
    yield (
        f"On {checked['images']:,} images that the search never saw, {accuracy} is "
        f"{percent(checked['accuracy'], 2)}: {_against(checked['drop'])} the float model "
        f"({percent(checked['float_accuracy'], 2)}), and at or above the floor of "
        f"{percent(checked['floor'], 2)}."
    )
    if checked.get("drop_upper_bound") is not None:
        yield (
            f"With {percent(checked['confidence'], 0)} confidence the drop on images of this kind "
            f"is at most {points(checked['drop_upper_bound'])}."
        )
    if checked.get("refuted"):
        trials = in_a_row(f"trial {refuted['trial']}" for refuted in checked["refuted"])
        yield f"Refuted on the same images, though smaller: {trials}."
    yield _versus_uniform(result)


def _versus_uniform(result: Mapping[str, Any]) -> str:
    uniform = result.get("uniform")
    if not uniform:
        return "No uniform allocation held the floor."
    return (
        f"The smallest uniform allocation that held the floor, {uniform['quantizer']} at "
        f"{uniform['bit_width']} bits {_where(uniform)}, saves {percent(uniform['saved'])} "
        f"({bytes_in_words(uniform['memory_bytes'])} an image)."
    )


def _where(uniform: Mapping[str, Any]) -> str:
    exceptions = len(uniform.get("exceptions") or ())
    return f"everywhere but at {exceptions} ruled points" if exceptions else "everywhere"


def _infeasible(result: Mapping[str, Any]) -> Iterator[str]:
    if result.get("reason"):
        yield _sentence(str(result["reason"]))
    closest = result.get("closest")
    if closest:
        yield (
            f"The closest is trial {closest['trial']}: accuracy {percent(closest['accuracy'], 2)} "
            f"is {points(result['shortfall'])} short of the floor of {percent(result['floor'], 2)} "
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
    accuracy = percent(progress.best.hits.accuracy, 2)
    return (
        f"After {done}, the best takes {bytes_in_words(progress.best.memory_bits / 8)} an image "
        f"at {accuracy} accuracy; the floor is {percent(job.setup.baseline.floor, 2)}."
    )


def _against(drop: float) -> str:
    return f"{points(abs(drop))} {'below' if drop >= 0 else 'above'}"
