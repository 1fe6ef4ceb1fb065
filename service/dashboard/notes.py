"""What the dashboard's page of a trial says in words, in Markdown."""

from typing import Any

from optuna.trial import FrozenTrial

from search.trial import EARLIER

_VERSION = 1  # the dashboard shows a note from version 1 on


def add_notes(serialized: list[dict[str, Any]], trials: list[FrozenTrial]) -> None:
    """Give each of the serialized trials its note; they are some of the trials, which are in order.

    Not through the study's attributes, as the dashboard itself keeps notes: it looks through all of
    them for each trial.
    """
    for one in serialized:
        one["note"] = {"version": _VERSION, "body": note_of(trials[one["number"]])}


def note_of(trial: FrozenTrial) -> str:
    """Return the verdict with its evidence, and whose proposal it was."""
    told = trial.user_attrs
    images, drop = told["images"], told["drop"]
    verdict = str(told["verdict"])
    seen = "" if " images" in verdict else f", on all {images:,} images"
    points = (
        f"{100 * abs(drop):.2f} points {'below' if drop > 0 else 'above'}" if drop else "exactly"
    )
    source = (
        "Taken over from an earlier job."
        if told["origin"] == EARLIER
        else f"Proposed by `{told['origin']}`; took {told['seconds']:.2g} s."
    )
    return (
        f"**{verdict[:1].upper()}{verdict[1:]}**{seen}: {points} the float model's accuracy on "
        f"the same images.\n\n{source}"
    )
