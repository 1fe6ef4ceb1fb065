"""What a best document has to say for itself, in lines for a terminal."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from service.answers import CERTIFIED
from service.cli.output import plain
from service.words import best_in_words
from service.words import bytes_in_words
from service.words import metric_in_words
from service.words import objective_in_words
from service.words import percent
from service.words import points
from service.words import taken_in_words


def lines(document: Mapping[str, Any]) -> Iterable[str]:
    """Yield what was saved, the evidence for it, and how it compares, a line each."""
    checked, objective = document["certification"], _objective(document)
    yield (
        f"{percent(document['saved'])} saved of the {objective_in_words(objective)}: "
        f"{best_in_words(document)} instead of {best_in_words(document, float32=True)}, "
        f"{document['average_bits']:.2f} bits a value"
    )
    yield (
        f"{metric_in_words(document.get('metric', 'top1'))} {percent(checked['accuracy'], 2)} on "
        f"{checked['images']} images that the search never saw; "
        f"floor {percent(checked['floor'], 2)}, float model {percent(checked['float_accuracy'], 2)}"
    )
    yield from _proof(checked)
    yield _versus_uniform(document)
    if "taken" in document:
        yield taken_in_words(str(document["from_job"]), document["taken"])


def _proof(checked: Mapping[str, Any]) -> Iterable[str]:
    """Yield what the certification split says; earlier releases wrote part of it."""
    if "judgement" not in checked:
        return
    yield (
        f"{checked['judgement']}: at {percent(checked['confidence'], 0)} confidence the drop is at "
        f"most {points(checked['drop_upper_bound'])} (p = {checked['p_value']:.2g}); observed "
        f"{points(checked['drop'])}, a gap of {points(checked['gap'])} to the search split"
    )
    for one in checked["others"]:
        needed = one["images_needed"]
        more = f"; about {needed:,} images would do" if needed else ""
        how = (
            "certified too" if one["judgement"] == CERTIFIED else f"smaller, but {one['judgement']}"
        )
        yield f"{how}: trial {one['trial']}, {percent(one['saved'])} saved{more}"


def _objective(document: Mapping[str, Any]) -> str:
    return str(document.get("objective", "activation_memory"))


def _versus_uniform(document: Mapping[str, Any]) -> str:
    """Return how the best compares with the best uniform allocation, both numbers."""
    uniform = document.get("uniform")
    if not uniform:
        return "no uniform allocation was worth a trial, or none that was tried held the floor"
    exceptions = len(uniform.get("exceptions") or ())
    name = f"{plain(uniform['quantizer'])} at {uniform['bit_width']} bits" + (
        f" but at {exceptions} points that lack it" if exceptions else ""
    )
    return (
        f"best uniform that held the floor: {name}, {percent(uniform['saved'])} saved "
        f"({bytes_in_words(uniform['memory_bytes'])}); "
        f"this allocation: {percent(document['saved'])} "
        f"({bytes_in_words(document['memory_bytes'])})"
    )
